"""What a bundle's graph says of an encoder: its numbers, and where its tensors lie.

Bundles are untrusted. A graph that does not compute exactly what bindrt's encoders compute is refused, so
that nothing is computed another way than its graph says.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bindrt.engines.native.graph import Graph, Node, Tensor, read_graph, unreadable
from bindrt.engines.native.layers import Layers, Sizes
from bindrt.engines.native.terms import Terms, result
from bindrt.engines.onnx_file import External, require_listed

#: Name, type, shape, and an index of files with an offset, or None with the bytes.
Described = tuple[str, str, tuple[int, ...], int | None, int | bytes]

MOST_BLOCKS = 1000
_NORM = "blocks.0.norm_1.weight"


@dataclass(frozen=True)
class EncoderFiles:
    """An encoder as ``_core.NativeEncoder`` takes it.

    Attributes:
        config: its numbers.
        files: paths that tensors are read from.
        tensors: where each tensor lies.
    """

    config: dict[str, Any]
    files: list[str]
    tensors: list[Described]


def read_encoder(files: Sequence[Path], heads: int, view: tuple[int, ...]) -> EncoderFiles:
    """Read the graph ``files[0]``, whose weights are in the other files.

    Raises:
        BundleError: it is not a graph of bindrt's, or refers to what the bundle does not list for it.
    """
    path, beside = files[0], list(files[1:])
    graph = read_graph(path)
    require_listed(path, beside, (t.place for t in graph.tensors.values() if isinstance(t.place, External)))
    try:
        sizes = _sizes(graph, heads, view)
        used = _recognised(graph, sizes)
        tensors = [_described(name, graph.tensors[name], beside) for name in sorted(used)]
    except ValueError as error:
        raise unreadable(path, str(error)) from None
    config = {
        "heads": sizes.heads,
        "eps": sizes.eps,
        "stem_eps": sizes.stem_eps,
        "scale": sizes.scale,
        "view": list(sizes.view),
        "kernel": list(sizes.kernel),
        "stride": list(sizes.stride),
    }
    return EncoderFiles(config, [str(file) for file in beside], tensors)


def _recognised(graph: Graph, sizes: Sizes) -> set[str]:
    """The names of the tensors that the encoder is made of."""
    terms = Terms()
    layers = Layers(terms, sizes, graph.tensors.keys())
    expected = layers.embedding()
    if missing := layers.used - graph.tensors.keys():
        raise ValueError(f"it has no {min(missing)}")
    if result(graph, terms, layers.used) != expected:
        raise ValueError("it computes something else than bindrt's encoders")
    return layers.used


def _sizes(graph: Graph, heads: int, view: tuple[int, ...]) -> Sizes:
    position = _tensor(graph, "stem.position").shape
    if len(position) != 3 or position[2] % heads:
        raise ValueError(f"stem.position has shape {list(position)}, and there are {heads} heads")
    depth = 0
    while f"blocks.{depth}.norm_1.weight" in graph.tensors and depth <= MOST_BLOCKS:
        depth += 1
    if not 0 < depth <= MOST_BLOCKS:
        raise ValueError(f"it has {depth} blocks")
    kernel, stride = _patches(graph)
    if kernel and len(view) != len(kernel) + 1:
        raise ValueError("its patches have other axes than its input")
    return Sizes(
        width=position[2],
        depth=depth,
        heads=heads,
        tokens=position[1],
        view=view,
        kernel=kernel,
        stride=stride,
        eps=_epsilon(graph, _NORM),
        stem_eps=_epsilon(graph, "stem.norm.weight") if "stem.norm.weight" in graph.tensors else 0.0,
        scale=_scale(graph),
    )


def _tensor(graph: Graph, name: str) -> Tensor:
    if name not in graph.tensors:
        raise ValueError(f"it has no {name[:80]}")
    return graph.tensors[name]


def _first(graph: Graph, kind: str, value: str, place: int) -> Node | None:
    """The first node of a kind that reads a value at a place."""
    of_kind = (n for n in graph.nodes if n.kind == kind and len(n.inputs) > place)
    return next((n for n in of_kind if n.inputs[place] == value), None)


def _patches(graph: Graph) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Kernel and stride of the patches; none for token ids."""
    if (convolution := _first(graph, "Conv", "input", 0)) is not None:
        kernel, stride = (convolution.attributes.get(key) for key in ("kernel_shape", "strides"))
        if not isinstance(kernel, tuple) or not isinstance(stride, tuple) or len(kernel) != len(stride):
            raise ValueError("its patches have no kernel or stride")
        return _natural(kernel), _natural(stride)
    if (cut := _first(graph, "Reshape", "input", 0)) is None:
        return (), ()
    shape = _numbers(graph, cut.inputs[1], "q")  # [-1, channels, count, side, count, side, …]
    if len(shape) < 4 or len(shape) % 2:
        raise ValueError("it cuts its input in an unusual way")
    return (_natural(shape[3::2]),) * 2


def _natural(numbers: tuple[int, ...]) -> tuple[int, ...]:
    if not all(0 < number < 1 << 20 for number in numbers):
        raise ValueError("its patches have impossible sizes")
    return numbers


def _epsilon(graph: Graph, weight: str) -> float:
    norm = _first(graph, "LayerNormalization", weight, 1)
    value = None if norm is None else norm.attributes.get("epsilon")
    if not isinstance(value, float) or not 0 <= value < 1:
        raise ValueError(f"the norm of {weight} has no epsilon")
    return value


def _scale(graph: Graph) -> float:
    """What the unit vector is multiplied by."""
    last = next((n for n in graph.nodes if n.output == "embedding"), None)
    if last is None or last.kind != "Mul" or len(last.inputs) != 2:
        return 1.0
    (scale,) = _numbers(graph, last.inputs[1], "f")
    return float(scale)


def _numbers(graph: Graph, name: str, kind: str) -> tuple[Any, ...]:
    place = _tensor(graph, name).place
    width = struct.calcsize(kind)
    if isinstance(place, External) or len(place) % width or len(place) > 64 * width or not place:
        raise ValueError(f"{name[:80]} is not a short constant")
    return struct.unpack(f"<{len(place) // width}{kind}", place)


def _described(name: str, tensor: Tensor, beside: Sequence[Path]) -> Described:
    if isinstance(tensor.place, bytes):
        return name, tensor.type, tensor.shape, None, tensor.place
    index = [file.name for file in beside].index(tensor.place.location)
    return name, tensor.type, tensor.shape, index, tensor.place.offset
