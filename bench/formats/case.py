"""One row of the table: a file that is made here, and how far bindrt is from a full decode of it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """A container with a codec.

    Attributes:
        modality: ``image``, ``video``, ``audio`` or ``depth``.
        container: what users call it.
        codec: what is in it.
        by: the program or library that makes the file.
        make: makes the file.
        difference: the largest difference of the model's input from that of a full decode of the file.
    """

    modality: str
    container: str
    codec: str
    by: str
    make: Callable[[], bytes]
    difference: Callable[[bytes], float]


def ffmpeg(source: Path, suffix: str, *options: str) -> bytes:
    """What the command ``ffmpeg`` makes of ``source``.

    Raises:
        NotImplementedError: there is no such command here, or its build lacks the codec.
    """
    if shutil.which("ffmpeg") is None:
        raise NotImplementedError("no ffmpeg")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"made.{suffix}"
        command = ["ffmpeg", "-v", "error", "-y", "-i", source, "-strict", "-2", *options, path]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise NotImplementedError((done.stderr or "ffmpeg failed").splitlines()[-1])
        return path.read_bytes()
