"""The standard library's process pool."""

from multiprocessing import TimeoutError

from ray.util.multiprocessing.pool import Pool

__all__ = ["Pool", "TimeoutError"]
