"""Which files an ONNX graph refers to, read from its bytes before an engine opens them.

A graph may name any path for its weights. This walks the protobuf wire format, so that a bundle
from elsewhere cannot make an engine read a file outside it. Field numbers are those of onnx.proto.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bindrt.errors import BundleError

MAX_GRAPH_BYTES = 512 << 20
MAX_NESTING = 16

#: message → field number → message of that field, for every way that leads to a tensor.
CHILDREN: dict[str, dict[int, str]] = {
    "Model": {7: "Graph", 20: "Training", 25: "Function"},
    "Training": {1: "Graph", 2: "Graph"},
    "Graph": {1: "Node", 5: "Tensor", 15: "Sparse"},
    "Function": {7: "Node", 11: "Attribute"},
    "Node": {5: "Attribute"},
    "Attribute": {5: "Tensor", 6: "Graph", 10: "Tensor", 11: "Graph", 22: "Sparse", 23: "Sparse"},
    "Sparse": {1: "Tensor", 2: "Tensor"},
    "Tensor": {13: "Entry"},
}


def external_locations(path: Path) -> set[str]:
    """The ``location`` of every tensor that the graph stores outside itself.

    Raises:
        BundleError: the file is not an ONNX graph.
    """
    if path.stat().st_size > MAX_GRAPH_BYTES:
        raise BundleError(path.name, "the graph is larger than 512 MiB", "keep weights as external data")
    try:
        return set(walk(memoryview(path.read_bytes()), "Model", 0))
    except (ValueError, IndexError) as error:
        raise BundleError(
            path.name, f"not a valid ONNX graph ({error})", "export or copy the bundle again"
        ) from None


def walk(data: memoryview, message: str, depth: int) -> Iterator[str]:
    if depth > MAX_NESTING * 3:
        raise ValueError("nested too deeply")
    if message == "Entry":
        pair = {number: bytes(value) for number, value in fields(data)}
        if pair.get(1) == b"location":
            yield pair.get(2, b"").decode("utf-8", "replace")
        return
    children = CHILDREN[message]
    for number, value in fields(data):
        if number in children:
            yield from walk(value, children[number], depth + 1)


def fields(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Every length-delimited field of a message; others are stepped over."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        kind = tag & 7
        if kind == 2:
            size, at = varint(data, at)
            if at + size > len(data):
                raise ValueError("a field runs past the end")
            yield tag >> 3, data[at : at + size]
            at += size
        elif kind == 0:
            _, at = varint(data, at)
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            raise ValueError(f"unknown wire type {kind}")


def varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number is too long")
