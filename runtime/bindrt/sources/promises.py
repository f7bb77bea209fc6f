"""What the header of a container promises of the whole file; used only to see that one ends early."""

from __future__ import annotations

from typing import Any

from bindrt.errors import SourceError
from bindrt.sources.flv import flv_number
from bindrt.sources.formats import Format
from bindrt.sources.opening import IF_CUT, Opened

_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")  # the object that describes the file


def check_promise(media: Any, file_format: Format, opened: Opened, end: float) -> None:
    """Raises SourceError if the file ends long before the end that its header promises.

    Args:
        end: when the last packet ends, in seconds.
    """
    if file_format.name == "asf":
        missing = _asf_size(opened.head) - opened.size
        if missing > 0:
            raise _truncated(opened, f"{missing} bytes are missing")
        return
    seconds = _promised_seconds(media, file_format, opened.head)
    if seconds - end > max(0.5, 0.05 * seconds):
        raise _truncated(opened, f"{end:.2f} of {seconds:.2f} s are there")


def _promised_seconds(media: Any, file_format: Format, head: bytes) -> float:
    """The length that the header says; 0 if it says none. What a demuxer estimates is not a promise."""
    if file_format.name in ("matroska", "mxf"):
        return (media.duration or 0) / 1e6
    if file_format.name == "flv":
        seconds = flv_number(head, "duration")
        return seconds if 0 < seconds < 1e9 else 0.0
    return 0.0


def _asf_size(head: bytes) -> int:
    """The size of the whole file; 0 for a live recording, which does not know it."""
    at = head.find(_ASF_FILE)
    fields = head[at + 24 :][:68] if at >= 0 else b""
    if len(fields) < 68 or fields[64] & 1:
        return 0
    return int.from_bytes(fields[16:24], "little")


def _truncated(opened: Opened, what: str) -> SourceError:
    return SourceError(opened.name, f"truncated: {what}", IF_CUT)
