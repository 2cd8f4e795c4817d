"""Sabir as a backend of joblib, and so of scikit-learn::

from sabir.util.joblib import register_sabir

register_sabir()
with joblib.parallel_config("sabir"):
    search.fit(X, y)
"""

from __future__ import annotations

import sys
from typing import Any, Callable

from joblib import register_parallel_backend
from joblib._parallel_backends import AutoBatchingMixin, ParallelBackendBase

import sabir

# Arguments from this size on are put into the store once, however many calls of one Parallel have them.
_SHARED_BYTES = 64 << 10


def register_sabir() -> None:
    """Makes the backend ``"sabir"`` known to joblib."""
    register_parallel_backend("sabir", SabirBackend)


class _Shared:
    """Stands for an argument that lies in the store."""

    def __init__(self, ref: Any) -> None:
        self.ref = ref


def _run(batch: Any) -> Any:
    for index, (function, args, kwargs) in enumerate(batch.items):
        batch.items[index] = (
            function,
            [sabir.get(value.ref) if isinstance(value, _Shared) else value for value in args],
            {key: sabir.get(value.ref) if isinstance(value, _Shared) else value for key, value in kwargs.items()},
        )
    return batch()


class SabirBackend(AutoBatchingMixin, ParallelBackendBase):  # type: ignore[misc]
    """Each batch of calls is a task."""

    supports_retrieve_callback = True
    supports_timeout = True
    supports_sharedmem = False
    uses_threads = False

    def __init__(
        self, nesting_level: int | None = None, inner_max_num_threads: int | None = None, **options: Any
    ) -> None:
        super().__init__(nesting_level=nesting_level, inner_max_num_threads=inner_max_num_threads)
        self._options = options
        self._task: Any = None
        # By id; the value beside the reference keeps the id its own.
        self._shared: dict[int, tuple[Any, _Shared]] = {}

    def configure(self, n_jobs: int = 1, parallel: Any = None, **more: Any) -> int:
        """joblib: a Parallel begins."""
        self.parallel = parallel
        n_jobs = self.effective_n_jobs(n_jobs)
        self._task = sabir.remote(_run).options(**self._options)
        return n_jobs

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """joblib: how many calls run at a time; -1 stands for all CPUs of the session, -2 for all but one."""
        if n_jobs == 0:
            raise ValueError("n_jobs == 0 in Parallel has no meaning")
        if n_jobs is None:
            return 1
        if n_jobs > 0:
            return n_jobs
        sabir.init(ignore_reinit_error=True)
        return max(1, int(sabir.cluster_resources().get("CPU", 1)) + 1 + n_jobs)

    def submit(self, func: Any, callback: Callable[[Any], object] | None = None) -> Any:
        """joblib: starts a batch; ``callback`` gets its future."""
        items = getattr(func, "items", None)
        if isinstance(items, list):
            func.items = [self._share_large(*item) for item in items]
        future = self._task.remote(func).future()
        if callback is not None:
            future.add_done_callback(callback)
        return future

    apply_async = submit

    def _share_large(self, function: Any, args: Any, kwargs: Any) -> tuple[Any, list[Any], dict[str, Any]]:
        return function, [self._share(v) for v in args], {key: self._share(v) for key, v in kwargs.items()}

    def _share(self, value: Any) -> Any:
        if max(getattr(value, "nbytes", 0) if _is_plain(value) else 0, sys.getsizeof(value, 0)) < _SHARED_BYTES:
            return value
        found = self._shared.get(id(value))
        if found is None:
            found = self._shared[id(value)] = (value, _Shared(sabir.put(value)))
        return found[1]

    def retrieve_result_callback(self, out: Any) -> Any:
        """joblib: the results of a batch that is done."""
        return out.result()

    def terminate(self) -> None:
        """joblib: a Parallel ends."""
        self._shared.clear()
        self.reset_batch_stats()

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """joblib: a call raised; what still runs ends by itself, and its results are dropped."""
        self.terminate()
        if ensure_ready:
            self.configure(n_jobs=self.parallel.n_jobs, parallel=self.parallel)


def _is_plain(value: Any) -> bool:
    return isinstance(getattr(value, "nbytes", None), int)
