"""Files of a bundle: found inside its folder only, read in pieces, the system's refusals as BundleErrors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bindrt.errors import BundleError


def regular_file(folder: Path, relative: str) -> Path:
    """A regular file inside a folder, links followed.

    Raises:
        BundleError: missing, not a regular file, or outside the folder.
    """
    name = f"{folder.name}/{relative}"
    target = (folder / relative).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise BundleError(
            name, "the path leads out of the bundle", "fetch the bundle from a source you trust"
        )
    if not target.is_file():
        problem = "it is not a regular file" if target.exists() else "the file is missing"
        raise BundleError(name, problem, "export or copy the bundle again")
    return target


@contextmanager
def os_errors(name: str) -> Iterator[None]:
    """What the system refuses, as a BundleError."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # before Python 3.13, a loop of links is a RuntimeError
        problem = getattr(error, "strerror", None) or error
        raise BundleError(name, f"cannot be read ({problem})", "check the path and its permissions") from None


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal, read in pieces."""
    digest = hashlib.sha256()
    for block in blocks_of(path):
        digest.update(block)
    return digest.hexdigest()


def blocks_of(path: Path, size: int = 4 << 20) -> Iterator[memoryview]:
    buffer = bytearray(size)
    view = memoryview(buffer)
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(buffer):
            yield view[:count]
