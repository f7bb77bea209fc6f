"""Writes protobuf's wire format, as far as ONNX graphs need it; ``onnx_file`` reads it."""

from __future__ import annotations

Field = int | bytes | memoryview | str


def encoded(number: int, value: Field) -> bytes:
    """One field, from what ``onnx_file.entries`` gives: ``bytes`` are of fixed width, a view has a length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, bytes):
        return varint(number << 3 | (1 if len(value) == 8 else 5)) + value
    content = value.encode() if isinstance(value, str) else bytes(value)
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    """A number in groups of seven bits, the least first.

    >>> varint(300).hex()
    'ac02'
    """
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
