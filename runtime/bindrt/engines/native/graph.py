"""An ONNX graph as nodes and tensors, read from its bytes. Field numbers are those of onnx.proto."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bindrt.engines.onnx_file import External, entries, external, fields, pair, varint
from bindrt.errors import BundleError

#: bindrt's graphs have a few hundred kB.
MOST_BYTES = 8 << 20
#: TensorProto.DataType → the type's name and width in bytes.
TYPES = {
    1: ("float32", 4),
    2: ("uint8", 1),
    3: ("int8", 1),
    7: ("int64", 8),
    10: ("float16", 2),
    16: ("bfloat16", 2),
}

Attribute = int | float | str | tuple[int, ...]


@dataclass(frozen=True)
class Tensor:
    """A tensor of the graph: in another file, or its bytes."""

    type: str
    shape: tuple[int, ...]
    place: External | bytes


@dataclass(frozen=True)
class Node:
    """An operation with one result; ``kind`` has its domain in front if it is not ONNX's own."""

    kind: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, Attribute]


@dataclass(frozen=True)
class Graph:
    """Nodes, each after those whose results it reads, and tensors by name."""

    nodes: tuple[Node, ...]
    tensors: dict[str, Tensor]


def read_graph(path: Path) -> Graph:
    """Read a graph.

    Raises:
        BundleError: it is not one, or it has what bindrt's graphs do not have.
    """
    if path.stat().st_size > MOST_BYTES:
        raise unreadable(path, f"it has more than {MOST_BYTES >> 20} MiB")
    try:
        return _model(memoryview(path.read_bytes()))
    except (ValueError, IndexError, struct.error) as error:
        raise unreadable(path, str(error)) from None


def unreadable(path: Path, why: str) -> BundleError:
    return BundleError(
        path.name, f"the engine native does not read this graph ({why})", "use engine='onnxruntime'"
    )


def _model(data: memoryview) -> Graph:
    graphs = []
    for number, value in fields(data):
        if number == 7:
            graphs.append(value)
        elif number in (20, 25):
            raise ValueError("it has functions of its own")
    if len(graphs) != 1:
        raise ValueError(f"it has {len(graphs)} graphs")
    return _graph(graphs[0])


def _graph(data: memoryview) -> Graph:
    nodes, tensors = [], {}
    for number, value in fields(data):
        if number == 1:
            nodes.append(_node(value))
        elif number == 5:
            name, tensor = _tensor(value)
            if name in tensors:
                raise ValueError(f"{name[:80]!r} is there twice")
            tensors[name] = tensor
        elif number == 15:
            raise ValueError("it has sparse tensors")
    return Graph(tuple(nodes), tensors)


def _text(data: memoryview) -> str:
    return bytes(data).decode("utf-8", "replace")


def _node(data: memoryview) -> Node:
    inputs: list[str] = []
    outputs: list[str] = []
    attributes: dict[str, Attribute] = {}
    kind = domain = ""
    for number, value in fields(data):
        if number == 1:
            inputs.append(_text(value))
        elif number == 2:
            outputs.append(_text(value))
        elif number == 4:
            kind = _text(value)
        elif number == 5:
            name, attribute = _attribute(value)
            attributes[name] = attribute
        elif number == 7:
            domain = _text(value)
    if len(outputs) != 1:
        raise ValueError(f"a node {kind[:40]!r} has {len(outputs)} results")
    return Node(f"{domain}:{kind}" if domain else kind, tuple(inputs), outputs[0], attributes)


def _attribute(data: memoryview) -> tuple[str, Attribute]:
    name = ""
    found: Attribute | None = None
    numbers: list[int] = []
    for field, value in entries(data):
        if field == 1 and isinstance(value, memoryview):
            name = _text(value)
        elif field == 2 and isinstance(value, bytes):
            found = float(struct.unpack("<f", value)[0])
        elif field == 3 and isinstance(value, int):
            found = _signed(value)
        elif field == 4 and isinstance(value, memoryview):
            found = _text(value)
        elif field == 8:
            numbers.extend(_whole_numbers(value))
        elif field not in (13, 20):  # its documentation and its kind, which the value shows
            raise ValueError(f"an attribute {name[:40]!r} has a value of another kind")
    return name, tuple(numbers) if found is None else found


def _tensor(data: memoryview) -> tuple[str, Tensor]:
    shape: list[int] = []
    name, kind, content, numbers, places = "", 0, b"", bytearray(), []
    for field, value in entries(data):
        if field == 1:
            shape.extend(_whole_numbers(value))
        elif field == 2 and isinstance(value, int):
            kind = value
        elif field == 8 and isinstance(value, memoryview):
            name = _text(value)
        elif field == 9 and isinstance(value, memoryview):
            content = bytes(value)
        elif field == 13 and isinstance(value, memoryview):
            places.append(pair(value))
        elif field == 7:
            numbers += b"".join(struct.pack("<q", number) for number in _whole_numbers(value))
        elif field == 4 and not isinstance(value, int):
            numbers += value
        elif field not in (12, 14):  # its documentation and whether it lies elsewhere, which its place shows
            raise ValueError(f"a tensor {name[:80]!r} holds its numbers in an unusual way")
    if kind not in TYPES or any(size < 0 or size >> 40 for size in shape):
        raise ValueError(f"{name[:80]!r} has another type or an impossible shape")
    kind_name, width = TYPES[kind]
    if places:
        return name, Tensor(kind_name, tuple(shape), external(places))
    found = content or bytes(numbers)
    if len(found) != width * math.prod(shape):
        raise ValueError(f"{name[:80]!r} has {len(found)} bytes")
    return name, Tensor(kind_name, tuple(shape), found)


def _whole_numbers(value: int | bytes | memoryview) -> Iterator[int]:
    """One number, or several in one field."""
    if isinstance(value, int):
        yield _signed(value)
        return
    at, data = 0, memoryview(value)
    while at < len(data):
        number, at = varint(data, at)
        yield _signed(number)


def _signed(value: int) -> int:
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value
