"""A bundle's graph as ONNX Runtime computes it on an NVIDIA GPU: the same weights file, other operations.

Bundles hold graphs for CPUs. Those of fp16 and bf16 widen their weights and compute in float32; a GPU has
units for products in half precision. Here a product, attention, GELU and what only moves numbers are in half
precision. The residual stream, norms and the division by the length stay in float32: sums over many blocks
leave half precision's range or lose what each block adds. Softmax is in half precision too: the provider's
kernel adds up in float32.

An operation for which the provider has no kernel would run on the CPU, with copies and waits in between.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from bindrt.engines.onnx_file import entries, fields
from bindrt.engines.onnx_wire import Field, encoded
from bindrt.errors import EngineError

#: TensorProto.DataType of what a precision computes in.
HALF = {"fp16": 10, "bf16": 16}
FLOAT = 1
_FLOATS = (FLOAT, *HALF.values())
#: Sums of squares and quotients leave half precision's range or accuracy.
_IN_FLOAT = frozenset({"LayerNormalization", "ReduceL2", "Clip", "Div"})
#: Results have the numbers of an operand, in another order or fewer.
_MOVES = frozenset(
    {"Concat", "Expand", "Gather", "GatherElements", "Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze"}
)
#: Results are integers or truth values, whatever the operands are.
_NO_FLOATS = frozenset({"Shape", "ArgMax", "Greater"})
#: Field numbers of onnx.proto: of a model, a graph, a node, an attribute and a tensor.
_GRAPH = 7
_NODE, _INITIALIZER, _INPUT, _OUTPUT, _TYPES = 1, 5, 11, 12, 13
_READS, _WRITES, _NAME, _KIND, _ATTRIBUTE = 1, 2, 3, 4, 5


@dataclass(frozen=True)
class CudaGraph:
    """A rewritten graph.

    Attributes:
        model: its bytes; weights lie beside the graph that it was made of.
        small: names of operations that compute shapes, which depend on no input's numbers. ONNX Runtime
            leaves such to the CPU on purpose.
    """

    model: bytes
    small: frozenset[str]


def cuda_graph(path: Path, precision: str) -> CudaGraph:
    """Rewrite a graph.

    Raises:
        EngineError: it is no graph, or has what bundles' graphs have not.
    """
    try:
        model = [(n, v) for n, v in entries(memoryview(path.read_bytes()))]
        graphs = [value for number, value in model if number == _GRAPH]
        if len(graphs) != 1 or not isinstance(graphs[0], memoryview):
            raise ValueError(f"it has {len(graphs)} graphs")
        rewritten = _Rewritten(graphs[0], HALF.get(precision))
    except (ValueError, IndexError, KeyError) as error:
        problem = f"it is not a graph that bindrt prepares for a GPU ({error!r})"
        raise EngineError(path.name, problem, "export the bundle again, or use device='cpu'") from None
    parts = [memoryview(rewritten.content()) if n == _GRAPH else v for n, v in model]
    content = b"".join(encoded(n, part) for (n, _), part in zip(model, parts, strict=True))
    return CudaGraph(content, frozenset(rewritten.small))


@dataclass
class _Node:
    kind: str = ""
    name: str = ""
    reads: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    others: list[tuple[int, Field]] = field(default_factory=list)

    def encoded(self) -> bytes:
        texts = [(_READS, each) for each in self.reads] + [(_WRITES, each) for each in self.writes]
        texts += [(_NAME, self.name), (_KIND, self.kind)]
        return b"".join(encoded(n, v) for n, v in [*texts, *self.others])


class _Rewritten:
    """Walks the nodes in order and gives every float value the type that it is needed in."""

    def __init__(self, graph: memoryview, half: int | None) -> None:
        parts = list(entries(graph))
        nodes = [_node(value) for number, value in parts if number == _NODE]
        self._half = half
        self._rest = [(n, v) for n, v in parts if n not in (_NODE, _TYPES)]
        given = dict(_named(value) for number, value in parts if number == _INPUT)
        stored = dict(_tensor(value) for number, value in parts if number == _INITIALIZER)
        self._results = {_text(v, 1) for n, v in parts if n == _OUTPUT}
        self._scores = {name for node in nodes if node.kind == "Softmax" for name in node.reads}
        self._opset_has_half_convolution = half != HALF["bf16"]
        #: Value → the types that it is there in, and its name in each; the first is what it was made in.
        self._there: dict[str, dict[int, str]] = {
            name: {kind: name} for name, kind in {**given, **stored}.items()
        }
        self._stored = set(stored)
        self._fed = set(given)  # values that depend on the input's numbers
        self.small: list[str] = []
        self._nodes: list[_Node] = []
        for node in nodes:
            self._add(node)

    def content(self) -> bytes:
        """The graph's bytes."""
        nodes = [(_NODE, memoryview(node.encoded())) for node in self._nodes]
        return b"".join(encoded(n, v) for n, v in [*nodes, *self._rest])

    def _add(self, node: _Node) -> None:
        node.name = node.name or node.writes[0]
        fed = node.kind != "Shape" and bool(self._fed & set(node.reads))
        if fed:
            self._fed.update(node.writes)
        else:
            self.small.append(node.name)
        if node.kind == "Cast" and self._is_float(node.reads[0]):
            self._there[node.writes[0]] = self._there[node.reads[0]]  # widened: made where it is needed
            if node.reads[0] in self._stored:
                self._stored.add(node.writes[0])
            return
        if node.kind == "ArgMax" and not self._is_float(node.reads[0]):
            # There are kernels for floats alone. Token ids have fewer bits than a float32's fraction.
            self._cast(node.reads[0], f"{node.writes[0]}@float", FLOAT, fed)
            node.reads = [f"{node.writes[0]}@float"]
        elif any(self._is_float(name) for name in node.reads):
            self._typed(node, fed)
            return
        self._nodes.append(node)
        kind = 0 if node.kind in _NO_FLOATS else self._made(node.reads[0])
        self._there.update((name, {kind: name}) for name in node.writes)

    def _typed(self, node: _Node, fed: bool) -> None:
        if node.kind in _NO_FLOATS:
            self._nodes.append(node)
            self._there.update((name, {0: name}) for name in node.writes)
            return
        kind = self._kind_of(node)
        node.reads = [self._as(name, kind, fed) if self._is_float(name) else name for name in node.reads]
        for at, name in enumerate(node.writes):
            node.writes[at] = _name(name, kind)
            self._there[name] = {kind: node.writes[at]}
        self._nodes.append(node)

    def _kind_of(self, node: _Node) -> int:
        output = node.writes[0]
        if self._half is None or node.kind in _IN_FLOAT or output in self._results:
            return FLOAT
        if node.kind == "Conv" and not self._opset_has_half_convolution:
            return FLOAT
        activations = [name for name in node.reads if self._is_float(name) and name not in self._stored]
        if node.kind == "Add" and len(activations) == 2 and output not in self._scores:
            both_fed = all(name in self._fed for name in activations)
            return FLOAT if both_fed else self._half  # the residual stream
        if node.kind in _MOVES and any(self._made(name) == FLOAT for name in activations):
            return FLOAT
        return self._half

    def _is_float(self, name: str) -> bool:
        return self._made(name) in _FLOATS

    def _made(self, name: str) -> int:
        """The type that a value was made in; 0 for one that was left out."""
        return next(iter(self._there[name])) if name else 0

    def _as(self, name: str, kind: int, fed: bool) -> str:
        there = self._there[name]
        if kind not in there:
            source = next(iter(there.values()))
            # A name of its own for what is widened: the graph's own may be that of the half-precision value.
            self._cast(source, f"{name}@{_KINDS[kind]}", kind, fed)
            there[kind] = f"{name}@{_KINDS[kind]}"
        return there[kind]

    def _cast(self, source: str, target: str, kind: int, fed: bool) -> None:
        to = b"".join(encoded(n, v) for n, v in ((1, "to"), (3, kind), (20, 2)))
        self._nodes.append(_Node("Cast", target, [source], [target], [(_ATTRIBUTE, memoryview(to))]))
        if not fed:
            self.small.append(target)


_KINDS = {FLOAT: "float", HALF["fp16"]: "float16", HALF["bf16"]: "bfloat16"}


def _name(name: str, kind: int) -> str:
    return name if kind == FLOAT else f"{name}@{_KINDS[kind]}"


def _node(value: Field) -> _Node:
    node = _Node()
    for number, each in _entries(value):
        if number == _READS:
            node.reads.append(_decoded(each))
        elif number == _WRITES:
            node.writes.append(_decoded(each))
        elif number == _NAME:
            node.name = _decoded(each)
        elif number == _KIND:
            node.kind = _decoded(each)
        else:
            node.others.append((number, each))
    if not node.writes:
        raise ValueError(f"a node {node.kind[:40]!r} has no result")
    return node


def _named(value: Field) -> tuple[str, int]:
    """Name and element type of a graph's input: ValueInfoProto.type.tensor_type.elem_type."""
    kind = 0
    for _, tensor in fields(_only(value, 2)):
        kind = next((n for number, n in entries(tensor) if number == 1 and isinstance(n, int)), 0)
    return _text(value, 1), kind


def _tensor(value: Field) -> tuple[str, int]:
    """Name and type of an initializer."""
    kinds = [each for number, each in _entries(value) if number == 2 and isinstance(each, int)]
    return _text(value, 8), kinds[-1] if kinds else 0


def _text(value: Field, number: int) -> str:
    return _decoded(_only(value, number))


def _only(value: Field, number: int) -> memoryview:
    found = [each for at, each in _entries(value) if at == number and isinstance(each, memoryview)]
    if not found:
        raise ValueError(f"field {number} is missing")
    return found[-1]


def _entries(value: Field) -> Iterable[tuple[int, Field]]:
    if not isinstance(value, memoryview):
        raise ValueError("a message is not one")
    return entries(value)


def _decoded(value: Field) -> str:
    if not isinstance(value, memoryview):
        raise ValueError("a name is not one")
    return bytes(value).decode()
