"""What the time that an item holds the lock means for many cores: Amdahl's law."""

from __future__ import annotations


def speedup(share: float, cores: int) -> float:
    """How many times as fast ``cores`` threads are as one; ``share`` of the work is done by one at a time.

    Example:
        >>> round(speedup(0.01, 16), 2)
        13.91
    """
    return 1 / (share + (1 - share) / cores)


def items_a_second(locked: float, whole: float, cores: int) -> float:
    """Items that ``cores`` threads do in a second.

    Args:
        locked: seconds that an item holds the lock.
        whole: seconds of an item on one core.

    Example:
        >>> round(items_a_second(20e-6, 2e-3, 16))
        6957
    """
    return speedup(min(locked / whole, 1.0), cores) / whole
