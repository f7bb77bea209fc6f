"""One writer an output: whoever writes it holds a lock, which ends with its process."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bindrt.errors import Error


@contextmanager
def only_writer(output: Path, work: str, option: str, kind: type[Error] = Error) -> Iterator[None]:
    """Holds the lock ``.NAME.lock`` beside ``output``; makes the folder that it is to be in.

    The lock of a process that was killed is free: the system lets go of it, whatever is left on disk.

    Args:
        output: what is written; several names of one file share a lock.
        work: what writes it, for the error, for example ``export``.
        option: the option that names another output.
        kind: the error's class.

    Raises:
        Error: another process is writing it.
    """
    place = Path(os.path.realpath(output))
    place.parent.mkdir(parents=True, exist_ok=True)
    path = place.with_name(f".{place.name}.lock")
    descriptor = _lock(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if descriptor is None:
        raise kind(
            str(output),
            f"another {work} is writing it{_holder(path)}",
            f"wait for it, or choose another {option}",
        )
    try:
        yield
    finally:
        path.unlink(missing_ok=True)  # before it is let go: nobody else can hold it
        os.close(descriptor)


@contextmanager
def one_after_the_other(path: Path) -> Iterator[None]:
    """Holds the lock file ``path`` and removes it afterwards; waits for whoever else has it."""
    descriptor = _lock(path, fcntl.LOCK_EX)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        if descriptor is not None:
            os.close(descriptor)


def _lock(path: Path, how: int) -> int | None:
    """The descriptor of the locked file; None if another process has it and ``how`` is not to wait."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:  # somebody else's file would be written
                raise OSError(errno.EEXIST, "it is no lock file", str(path))
            fcntl.flock(descriptor, how)
            # Whoever had it may have removed the file since we opened it; then it locks nothing.
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, str(os.getpid()).encode(), 0)
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except FileNotFoundError:
            pass
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _holder(path: Path) -> str:
    """Which process holds the lock, as far as it has said so."""
    try:
        text = path.read_text("ascii")
    except (OSError, ValueError):
        return ""
    return f" (process {text})" if text.isdigit() else ""
