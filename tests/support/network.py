"""Machines made of network namespaces, joined by a bridge that has a namespace of its own.

Each machine has an interface `lan` with an address of its own, and nothing else but loopback. Everything is made by
`ip` (so it wants root) and gone with close(), also the processes; what a killed run has left is removed by the next.
"""

from __future__ import annotations

import functools
import itertools
import os
import signal
import subprocess
import time
from collections.abc import Sequence

PREFIX = "sabirtest"
NOWHERE = "02:00:00:00:00:00"  # nobody's hardware address
_numbers = itertools.count(1)


def ip(*words: str) -> str:
    return _command("ip", *words)


def _command(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
    if done.returncode != 0:
        raise OSError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


@functools.cache
def why_not() -> str:
    """Why this machine cannot have namespaces; "" if it can."""
    if os.environ.get("SABIR_TEST_LOOPBACK"):
        return "SABIR_TEST_LOOPBACK asks for loopback"
    if os.geteuid() != 0:
        return "network namespaces want root"
    try:
        with Network() as network:
            network.machine()
    except OSError as error:
        return f"no network namespaces here: {error}"
    return ""


@functools.cache
def why_not_slow() -> str:
    """Why a link cannot be made slow; "" if it can."""
    if why := why_not():
        return why
    with Network() as network:
        try:
            network.machine().slow_down("100mbit")
        except OSError as error:
            return f"no token buckets in this kernel: {error}"
    return ""


class Machine:
    def __init__(self, switch: str, name: str, number: int) -> None:
        self._switch = switch
        self._port = f"m{number}"  # at the bridge
        self.space = f"{name}-{self._port}"
        self.address = f"10.83.0.{number}"
        ip("netns", "add", self.space)
        self._in("ip", "link", "set", "lo", "up")
        ip("link", "add", "lan", "netns", self.space, "type", "veth", "peer", "name", self._port, "netns", switch)
        self._in("ip", "address", "add", f"{self.address}/24", "dev", "lan")
        self._in("ip", "link", "set", "lan", "up")
        _command("ip", "-n", switch, "link", "set", self._port, "master", "bridge", "up")

    def command(self, *words: str) -> list[str]:
        """The words of a command that runs on this machine."""
        return ["ip", "netns", "exec", self.space, *words]

    def _in(self, *words: str) -> str:
        return _command(*self.command(*words))

    def pids(self) -> list[int]:
        return [int(word) for word in ip("netns", "pids", self.space).split()]

    def kill_all(self) -> None:
        """As if its power were cut: nobody says goodbye."""
        _kill_space(self.space)

    # --- faults of its link; each lasts until mend()

    def cut(self) -> None:
        """Its cable is pulled at the bridge: nothing arrives, nothing leaves, and no connection is told."""
        _command("ip", "-n", self._switch, "link", "set", self._port, "down")

    def deafen(self, other: Machine) -> None:
        """What this machine sends to the other is lost on the way; the other's words arrive here."""
        self._in("ip", "neigh", "replace", other.address, "lladdr", NOWHERE, "nud", "permanent", "dev", "lan")

    def slow_down(self, rate: str) -> None:
        """A token bucket for what it sends, and one for what it gets."""
        bucket = ("root", "tbf", "rate", rate, "burst", "64kb", "latency", "200ms")
        self._in("tc", "qdisc", "replace", "dev", "lan", *bucket)
        _command("tc", "-n", self._switch, "qdisc", "replace", "dev", self._port, *bucket)

    def mend(self) -> None:
        _command("ip", "-n", self._switch, "link", "set", self._port, "up")
        self._in("ip", "neigh", "flush", "dev", "lan", "nud", "permanent")

    def established(self) -> list[str]:
        """The peers of its open TCP connections, as address:port."""
        return [line.split()[3] for line in self._in("ss", "-Htn", "state", "established").splitlines()]


class Network:
    def __init__(self) -> None:
        for name in _spaces():
            if not os.path.exists(f"/proc/{_owner(name)}"):
                _remove_space(name)
        self._name = f"{PREFIX}-{os.getpid()}-{next(_numbers)}"
        self._switch = f"{self._name}-switch"
        self.machines: list[Machine] = []
        ip("netns", "add", self._switch)
        try:
            _command("ip", "-n", self._switch, "link", "add", "bridge", "type", "bridge")
            _command("ip", "-n", self._switch, "link", "set", "bridge", "up")
        except OSError:
            self.close()
            raise

    def machine(self) -> Machine:
        machine = Machine(self._switch, self._name, len(self.machines) + 1)
        self.machines.append(machine)
        return machine

    def close(self) -> None:
        for name in _spaces():
            if name.startswith(f"{self._name}-"):
                _remove_space(name)

    def __enter__(self) -> Network:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _spaces() -> Sequence[str]:
    names = [line.split()[0] for line in ip("netns", "list").splitlines() if line]
    return [name for name in names if name.startswith(f"{PREFIX}-")]


def _owner(name: str) -> str:
    return name.split("-")[1]


def _remove_space(name: str) -> None:
    _kill_space(name)
    ip("netns", "delete", name)


def _kill_space(name: str) -> None:
    deadline = time.monotonic() + 30
    while pids := ip("netns", "pids", name).split():
        for pid in pids:
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        if time.monotonic() > deadline:
            raise OSError(f"processes of {name} do not end: {pids}")
        time.sleep(0.02)
