"""The standard library's process pool on Sabir: the same calls, on all machines of the session."""

from multiprocessing import TimeoutError

from sabir.util.multiprocessing.pool import Pool

__all__ = ["Pool", "TimeoutError"]
