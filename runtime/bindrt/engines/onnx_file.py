"""Which files an ONNX graph refers to, read from its bytes before an engine opens them.

A graph may name any path for its weights. This walks the protobuf wire format, so that a bundle
from elsewhere cannot make an engine read a file outside it. Field numbers are those of onnx.proto.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bindrt.errors import BundleError

#: A bundle's graphs hold no weights and have a few hundred kB.
MAX_GRAPH_BYTES = 64 << 20
MAX_NESTING = 16
MAX_FIELD = (1 << 29) - 1

#: message → field number → message of that field, for every way that leads to a tensor.
CHILDREN: dict[str, dict[int, str]] = {
    "Model": {7: "Graph", 20: "Training", 25: "Function"},
    "Training": {1: "Graph", 2: "Graph"},
    "Graph": {1: "Node", 5: "Tensor", 15: "Sparse"},
    "Function": {7: "Node", 11: "Attribute"},
    "Node": {5: "Attribute"},
    "Attribute": {5: "Tensor", 6: "Graph", 10: "Tensor", 11: "Graph", 22: "Sparse", 23: "Sparse"},
    "Sparse": {1: "Tensor", 2: "Tensor"},
}
EXTERNAL_DATA = 13  # field of Tensor


@dataclass(frozen=True)
class External:
    """Where a tensor's bytes are; ``length`` is None where the graph does not say."""

    location: str
    offset: int
    length: int | None

    def fits(self, size: int) -> bool:
        return self.offset + (self.length or 0) <= size


def external_tensors(path: Path) -> Iterator[External]:
    """Every tensor that the graph stores outside itself.

    Raises:
        BundleError: the file is not an ONNX graph.
    """
    if path.stat().st_size > MAX_GRAPH_BYTES:
        raise BundleError(path.name, "the graph is larger than 64 MiB", "keep weights as external data")
    try:
        yield from walk(memoryview(path.read_bytes()), "Model", 0)
    except (ValueError, IndexError) as error:
        raise BundleError(
            path.name, f"not a valid ONNX graph ({error})", "export or copy the bundle again"
        ) from None


def external_locations(path: Path) -> set[str]:
    """The ``location`` of every tensor that the graph stores outside itself."""
    return {tensor.location for tensor in external_tensors(path)}


def require_listed_files(graph: Path, beside: list[Path]) -> None:
    """Refuse a graph that would make an engine read other files than the bundle lists for it.

    Raises:
        BundleError: it refers to such a file, or past the end of one.
    """
    require_listed(graph, beside, external_tensors(graph))


def require_listed(graph: Path, beside: list[Path], tensors: Iterable[External]) -> None:
    """As ``require_listed_files``, for tensors that were read from the graph."""
    remedy = "fetch the bundle from a source you trust"
    if graph.suffix != ".onnx":  # engines read other formats from files of other names
        raise BundleError(graph.name, "the graph's name does not end in .onnx", remedy)
    allowed = {path.name: path.stat().st_size for path in beside if path.parent == graph.parent}
    for tensor in tensors:
        if tensor.location not in allowed:
            problem = f"refers to {tensor.location[:80]!r}, which the bundle does not list for it"
            raise BundleError(graph.name, f"the graph {problem}", remedy)
        if not tensor.fits(allowed[tensor.location]):
            problem = f"expects more than the {allowed[tensor.location]} bytes of {tensor.location}"
            raise BundleError(graph.name, f"the graph {problem}", "export or copy the bundle again")


def walk(data: memoryview, message: str, depth: int) -> Iterator[External]:
    if depth > MAX_NESTING * 3:
        raise ValueError("nested too deeply")
    if message == "Tensor":
        entries = [pair(value) for number, value in fields(data) if number == EXTERNAL_DATA]
        if entries:
            yield external(entries)
        return
    children = CHILDREN[message]
    for number, value in fields(data):
        if number in children:
            yield from walk(value, children[number], depth + 1)


def pair(data: memoryview) -> tuple[str, str]:
    """A key and its value. Where a field stands twice the last one counts, as everywhere in protobuf."""
    found = {number: bytes(value).decode("utf-8", "replace") for number, value in fields(data)}
    return found.get(1, ""), found.get(2, "")


def external(entries: list[tuple[str, str]]) -> External:
    named = dict(entries)
    if len(named) != len(entries) or "location" not in named:
        raise ValueError("a tensor's location is missing or given twice")
    length = named.get("length")
    return External(
        named["location"], natural(named.get("offset", "0")), None if length is None else natural(length)
    )


def natural(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ValueError(f"{text[:20]!r} is not an offset or a length")
    return int(text)


def fields(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Every length-delimited field of a message; others are stepped over."""
    return ((number, value) for number, value in entries(data) if isinstance(value, memoryview))


def entries(data: memoryview) -> Iterator[tuple[int, int | bytes | memoryview]]:
    """Every field: a length-delimited one as a view, one of fixed width as bytes, any other as a number."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        kind, number = tag & 7, tag >> 3
        # Parsers in C++ cut a tag to 32 bits, and would see another field than we do.
        if not 1 <= number <= MAX_FIELD:
            raise ValueError("a field number is out of range")
        if kind == 2:
            size, at = varint(data, at)
            if at + size > len(data):
                raise ValueError("a field runs past the end")
            yield number, data[at : at + size]
            at += size
        elif kind == 0:
            value, at = varint(data, at)
            yield number, value
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            if at + size > len(data):
                raise ValueError("a field runs past the end")
            yield number, bytes(data[at : at + size])
            at += size
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
