"""What may stand before a sound: tags (ID3) and zeros, of any length."""

from __future__ import annotations

from bindrt.sources.opening import Opened

_TAG_HEADER = 10
_MOST_ZEROS = 16 << 20  # a file that begins with more is damaged
_AT_ONCE = 1 << 16


def read_at(file: Opened | bytes, at: int, count: int) -> bytes:
    """At most ``count`` bytes from position ``at``; of bytes, what they have of them."""
    if isinstance(file, bytes):
        return file[at : at + count]
    if at + count <= len(file.head):
        return file.head[at : at + count]
    with file.binary() as stream:
        stream.seek(at)
        return stream.read(count)


def has_tag(head: bytes) -> bool:
    """Whether an ID3 tag of version 2 begins here."""
    return head[:3] == b"ID3" and len(head) >= _TAG_HEADER and all(b < 0x80 for b in head[6:10])


def tag_length(head: bytes) -> int:
    """The length of the tag that begins here, in bytes; 0 if none does.

    >>> tag_length(b"ID3\\x04\\x00\\x00\\x00\\x00\\x01\\x00")
    138
    """
    if not has_tag(head):
        return 0
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    footer = _TAG_HEADER if head[5] & 0x10 else 0
    return _TAG_HEADER + size + footer


def sound_start(file: Opened | bytes) -> int:
    """Where the tags and zeros at the beginning end; 0 if there are none.

    >>> sound_start(bytes(100) + b"fLaC")
    100
    """
    at = 0
    while length := tag_length(read_at(file, at, _TAG_HEADER)):
        at += length
    return _past_zeros(file, at)


def _past_zeros(file: Opened | bytes, start: int) -> int:
    at = start
    while at - start < _MOST_ZEROS and (block := read_at(file, at, _AT_ONCE)):
        rest = block.lstrip(b"\0")
        at += len(block) - len(rest)
        if rest:
            break
    return at
