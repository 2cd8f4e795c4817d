"""The zygote: a warm interpreter that forks workers on request (schema/zygote.md).

Run as ``python -I -S _zygote.py PATHS_JSON FD``: without site and user paths, so that it is up in milliseconds. It has
one thread, maps no shared memory, and ends when its socket closes.
"""

from __future__ import annotations

import json
import os
import socket
import sys

_PACKET_BYTES = 64 << 10
# Imports worth sharing between all workers; each is optional.
_WARM_MODULES = ("cloudpickle", "numpy", "numpy.random")


def main() -> None:
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sys.path.insert(0, package)
    # This file must not be found as a module of its directory's name.
    sys.path[:] = [path for path in sys.path if path != os.path.dirname(os.path.abspath(__file__))]
    import gc
    import pickle  # noqa: F401 - every worker needs it

    from sabir import _logs, _sabir, _worker  # noqa: F401

    channel = socket.socket(fileno=int(sys.argv[2]))
    channel.set_inheritable(False)
    gc.collect()
    gc.freeze()  # or the workers' first collection would copy every page of the heap
    _send(channel, {"ready": True, "warm": False})
    while True:
        message, descriptors = _receive(channel)
        if message is None:
            return
        if "warm_up" in message:
            _warm_up()
            gc.collect()
            gc.freeze()
            _send(channel, {"ready": True, "warm": True})
        elif "fork" in message:
            _fork(channel, message, descriptors)


def _send(channel: socket.socket, message: dict) -> None:  # type: ignore[type-arg]
    channel.send(json.dumps(message).encode())


def _receive(channel: socket.socket) -> tuple[dict | None, list[int]]:  # type: ignore[type-arg]
    data, descriptors, _, _ = socket.recv_fds(channel, _PACKET_BYTES, 4)
    return (json.loads(data) if data else None), list(descriptors)


def _warm_up() -> None:
    # Threads of a linear algebra library would not survive the fork; one per worker is also what two workers per CPU want.
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    saved = list(sys.path)
    sys.path.extend(path for path in json.loads(sys.argv[1]) if path not in sys.path)
    for name in _WARM_MODULES:
        try:
            __import__(name)
        except Exception:
            continue
    sys.path[:] = saved


def _fork(channel: socket.socket, message: dict, descriptors: list[int]) -> None:  # type: ignore[type-arg]
    parent = os.getppid()  # sabird
    try:
        middle = os.fork()
    except OSError as error:
        _send(channel, {"failed": message["fork"], "error": str(error)})
        for descriptor in descriptors:
            os.close(descriptor)
        return
    if middle != 0:
        for descriptor in descriptors:
            os.close(descriptor)
        os.waitpid(middle, 0)
        return
    # In between: its end makes the worker a child of sabird, which alone reaps it.
    os.setsid()
    between = os.getpid()
    try:
        worker = os.fork()
    except OSError as error:
        _send(channel, {"failed": message["fork"], "error": str(error)})
        os._exit(1)
    if worker != 0:
        _send(channel, {"forked": message["fork"], "pid": worker})
        os._exit(0)
    _become_worker(channel, message, descriptors, (parent, between))


def _become_worker(channel: socket.socket, message: dict, descriptors: list[int], parents: tuple[int, int]) -> None:  # type: ignore[type-arg]
    status = 1
    try:
        from sabir import _sabir, _worker

        channel.close()
        _sabir.die_with(*parents)
        os.dup2(descriptors[0], 1)
        os.dup2(descriptors[1], 2)
        for descriptor in descriptors:
            os.close(descriptor)
        os.environ.update(message.get("env", {}))
        _reseed()
        _worker.run(message["session"], message["fork"])
        status = 0
    except SystemExit:
        status = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # The interpreter's own end would run what the zygote registered for itself.
        os._exit(status)


def _reseed() -> None:
    """Forks share the zygote's random state; `random` reseeds itself, numpy does not."""
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()


if __name__ == "__main__":
    main()
