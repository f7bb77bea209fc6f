"""Formats whose header says how large the file is: a smaller one is cut."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from bindrt.sources.beginning import read_at
from bindrt.sources.flv import flv_number
from bindrt.sources.formats import Format
from bindrt.sources.opening import Opened, decoding

_MOST_CHUNKS = 100


def check_declared_size(opened: Opened, file_format: Format) -> None:
    """Raises SourceError if a file is smaller than its header says."""
    if file_format.name not in _DECLARED:
        return
    with decoding(opened.name, "media file"):
        declared = _DECLARED[file_format.name](opened)
    if declared > opened.size:
        opened.ends_early(f"truncated: {opened.size} of {declared} bytes are there")


def _flv(opened: Opened) -> int:
    size = flv_number(opened.head, "filesize")
    return int(size) if 0 < size < 1 << 53 else 0


def _mxf(opened: Opened) -> int:
    """The last partition begins where the first one says."""
    first = opened.head[16:17]
    length = 1 + (first[0] & 0x7F if first and first[0] & 0x80 else 0)
    at = 16 + length + 24
    return int.from_bytes(opened.head[at : at + 8], "big") if len(opened.head) >= at + 8 else 0


def _rm(opened: Opened) -> int:
    """FFmpeg writes a length of the data that is ten bytes too long."""
    return max((end - 10 for name, end in _rm_chunks(opened) if name == b"DATA"), default=0)


def _rm_chunks(opened: Opened) -> Iterator[tuple[bytes, int]]:
    at = 0
    for _ in range(_MOST_CHUNKS):
        head = read_at(opened, at, 8)
        length = int.from_bytes(head[4:], "big")
        if len(head) < 8 or length < 8:
            return
        yield head[:4], at + length
        at += length


def _nist(opened: Opened) -> int:
    """The header is text: its own length, then lines such as ``sample_count -i 16000``."""
    head = opened.head.decode("ascii", "replace")
    numbers = {name: int(n) for name, n in re.findall(r"^(\w+) -i (\d+)$", head, re.MULTILINE)}
    length = re.match(r"NIST_1A\n *(\d+)\n", head)
    each = numbers.get("sample_n_bytes", 0) * numbers.get("channel_count", 1)
    return int(length[1]) + numbers.get("sample_count", 0) * each if length else 0


def _dsf(opened: Opened) -> int:
    return int.from_bytes(opened.head[12:20], "little")


def _dsdiff(opened: Opened) -> int:
    return 12 + int.from_bytes(opened.head[4:12], "big")


def _sox(opened: Opened) -> int:
    """The header has its own length, then how many samples of four bytes follow; 0 if that is not known."""
    order: Literal["little", "big"] = "little" if opened.head[:1] == b"." else "big"
    length, samples = (int.from_bytes(opened.head[at : at + n], order) for at, n in ((4, 4), (8, 8)))
    return 4 + length + 4 * samples


_DECLARED = {
    "NIST": _nist, "dsf": _dsf, "flv": _flv, "iff": _dsdiff, "mxf": _mxf, "rm": _rm, "sox": _sox,
}  # fmt: skip
