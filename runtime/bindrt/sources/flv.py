"""What an FLV says of itself: numbers by name, in the script data at its beginning."""

from __future__ import annotations

import struct


def flv_number(head: bytes, name: str) -> float:
    """The number of a name, for example ``duration``; 0 if the head of the file has none."""
    key = struct.pack(">H", len(name)) + name.encode("ascii") + b"\0"  # 0: the type of a double
    at = head.find(key)
    number = head[at + len(key) :][:8] if at >= 0 else b""
    return float(struct.unpack(">d", number)[0]) if len(number) == 8 else 0.0
