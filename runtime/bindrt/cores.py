"""How many cores this process may use, and how many threads each part of bindrt takes of them.

There is one budget. Threads that prepare items are as many as the cores; while an engine computes on some of
them, as many threads fewer begin an item. Videos that are decoded at once share the cores among their
decoders.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager

from bindrt import _core

#: Put before the paths of /proc and /sys; tests have made-up ones.
ROOT = ""


def usable_cores() -> float:
    """Cores that this process may use: its affinity, the quotas of its control groups, Python's own limit.

    A quota may be a part of a core. Python's limit is ``-X cpu_count`` or ``PYTHON_CPU_COUNT``, from 3.13 on.

    >>> 0 < usable_cores() <= os.cpu_count()
    True
    """
    return _core.usable_cores(ROOT)


def usable_threads() -> int:
    """Threads that keep the usable cores busy, a part of a core counted as one; at least 1.

    >>> usable_threads() >= usable_cores()
    True
    """
    return _core.usable_threads(ROOT)


def told_threads(asked: int | None) -> int | None:
    """Threads to tell a library that computes an encoder; None: its own choice is right.

    Libraries take a thread for each physical core of the machine, whatever quota there is. Where this process
    may use fewer cores than the machine has, they are told.

    Args:
        asked: what the user asked for.
    """
    if asked is not None or usable_threads() >= os.sysconf("SC_NPROCESSORS_ONLN"):
        return asked
    return min(usable_threads(), _core.physical_cores(ROOT))


def computing_threads(asked: int | None) -> int:
    """Threads that such a library computes with."""
    return told_threads(asked) or _core.physical_cores(ROOT)


def take_part(processes: int) -> None:
    """From now on this process uses its part of the cores: as many other processes as this use the rest."""
    _core.limit_cores(usable_cores() / processes)


class Sharing:
    """Threads of decoders that run at once: each that begins gets an equal part of the cores.

    The videos that csrc/video decodes are counted as well.
    """

    def one(self) -> AbstractContextManager[object]:
        """While inside, one more runs."""
        return _core.RunningVideo()

    def threads(self) -> int:
        """For a decoder that begins now, and counts itself as running."""
        return _core.decoder_threads(usable_threads())


#: All videos that this process decodes.
VIDEOS = Sharing()


def _take_pythons_limit() -> None:
    count = getattr(os, "process_cpu_count", None)  # from Python 3.13 on
    given = count() if count is not None else None
    if given is not None and given < _core.usable_cores():
        _core.limit_cores(given)


_take_pythons_limit()
