"""Graphs as terms: two values have one number if they are computed alike from the same tensors.

So an encoder is recognised by what it computes, whatever its nodes are called and in which order they stand.
"""

from __future__ import annotations

import struct
from collections.abc import Hashable, Sequence

from bindrt.engines.native.graph import Attribute, Graph, Node

#: Attributes that mean what their absence means, by operation.
NEUTRAL: dict[str, dict[str, Attribute]] = {
    "LayerNormalization": {"axis": -1, "stash_type": 1},
    "Gelu": {"approximate": "none"},
    "Softmax": {"axis": -1},
    "ReduceL2": {"keepdims": 1, "noop_with_empty_axes": 0},
    "ReduceMax": {"keepdims": 1, "noop_with_empty_axes": 0},
    "ReduceMin": {"keepdims": 1, "noop_with_empty_axes": 0},
    "ArgMax": {"select_last_index": 0},
    "Gather": {"axis": 0},
    "GatherElements": {"axis": 0},
    "Shape": {"start": 0},
    "Conv": {"auto_pad": "NOTSET", "group": 1},
    "QuantizeLinear": {"axis": 1, "saturate": 1, "block_size": 0, "output_dtype": 0, "precision": 0},
    "Cast": {"saturate": 1},
}


class Terms:
    """Numbers of terms."""

    def __init__(self) -> None:
        self._known: dict[Hashable, int] = {}

    def _number(self, key: Hashable) -> int:
        return self._known.setdefault(key, len(self._known))

    def input(self) -> int:
        """The encoder's input."""
        return self._number("input")

    def weight(self, name: str) -> int:
        """A tensor of this name, whatever it holds."""
        return self._number(("weight", name))

    def constant(self, type: str, shape: Sequence[int], content: bytes) -> int:
        """A tensor of these numbers, whatever its name."""
        return self._number(("constant", type, tuple(shape), content))

    def whole(self, *numbers: int) -> int:
        """An int64 vector."""
        return self.constant("int64", (len(numbers),), struct.pack(f"<{len(numbers)}q", *numbers))

    def scalar(self, number: float) -> int:
        """An int64 or float32 of no axes."""
        if isinstance(number, int):
            return self.constant("int64", (), struct.pack("<q", number))
        return self.constant("float32", (), struct.pack("<f", number))

    def node(self, kind: str, *inputs: int, **attributes: Attribute) -> int:
        """What an operation makes of its inputs."""
        neutral = NEUTRAL.get(kind, {})
        # ``allowzero`` matters only to shapes with zeros, which bindrt's encoders lack.
        kept = [
            (name, value)
            for name, value in sorted(attributes.items())
            if name != "allowzero" and (name not in neutral or neutral[name] != value)
        ]
        return self._number((kind, inputs, tuple(kept)))

    def nothing(self) -> int:
        """An input that is left out."""
        return self._number("nothing")


def result(graph: Graph, terms: Terms, weights: set[str]) -> int:
    """The term of a graph's ``embedding``.

    Args:
        weights: names of tensors that stand for themselves; others are told apart by their numbers.

    Raises:
        ValueError: a node reads what is not there, or a name has two meanings.
    """
    values: dict[str, int] = {"": terms.nothing(), "input": terms.input()}
    for name, tensor in graph.tensors.items():
        if name in values:
            raise ValueError(f"{name[:80]!r} has two meanings")
        if name in weights:
            values[name] = terms.weight(name)
        elif isinstance(tensor.place, bytes):
            values[name] = terms.constant(tensor.type, tensor.shape, tensor.place)
    for node in graph.nodes:
        if node.output in values:
            raise ValueError(f"{node.output[:80]!r} has two meanings")
        values[node.output] = _term(node, values, terms)
    if "embedding" not in values:
        raise ValueError("it has no 'embedding'")
    return values["embedding"]


def _term(node: Node, values: dict[str, int], terms: Terms) -> int:
    try:
        inputs = [values[name] for name in node.inputs]
    except KeyError as error:
        raise ValueError(f"a node reads {str(error.args[0])[:80]!r}, which bindrt's encoders lack") from None
    return terms.node(node.kind, *inputs, **node.attributes)
