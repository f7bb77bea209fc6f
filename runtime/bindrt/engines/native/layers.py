"""What bindrt's encoders compute, as terms: stems, blocks and head, in every form that an export has.

It says the same as ``bindrt_export`` does in ``architecture``, ``passes`` and ``precision.cpu``, in the
operations that tracing leaves.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Collection
from dataclasses import dataclass

from bindrt.engines.native.terms import Terms

#: Cast to float32, as ONNX numbers types.
FLOAT = 1
INT8_LEVELS, INT8_ZERO, TINY = 127, 128, 1e-30


@dataclass(frozen=True)
class Sizes:
    """The numbers of an encoder; ``tokens`` are rows of the position table."""

    width: int
    depth: int
    heads: int
    tokens: int
    view: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    eps: float
    stem_eps: float
    scale: float

    @property
    def reads_tokens(self) -> bool:
        return not self.kernel


class Layers:
    """Builds the terms; ``used`` are the names of the tensors that they read."""

    def __init__(self, terms: Terms, sizes: Sizes, names: Collection[str]) -> None:
        self._t = terms
        self._s = sizes
        self._names = names
        self.used: set[str] = set()

    def embedding(self) -> int:
        t, s = self._t, self._s
        x = self._text_stem() if s.reads_tokens else self._patch_stem()
        if "pre_norm.weight" in self._names:
            x = self._norm(x, "pre_norm", s.eps)
        mask = self._causal_mask() if s.reads_tokens else None
        for i in range(s.depth - 1):
            x = self._block(x, f"blocks.{i}", mask)
        row = self._last_block(x, f"blocks.{s.depth - 1}")
        row = t.node("Squeeze", row, t.whole(1))
        y = self._linear(self._norm(row, "norm", s.eps), "projection")
        length = t.node("Clip", t.node("ReduceL2", y, t.whole(-1)), t.scalar(1e-12))
        unit = t.node("Div", y, length)
        return unit if s.scale == 1.0 else t.node("Mul", unit, t.scalar(s.scale))

    def _weight(self, name: str) -> int:
        self.used.add(name)
        return self._t.weight(name)

    def _float_weight(self, name: str) -> int:
        """As it is, or widened from half precision."""
        if name in self._names:
            return self._weight(name)
        return self._t.node("Cast", self._weight(f"{name}.half"), to=FLOAT)

    def _norm(self, x: int, name: str, eps: float) -> int:
        bias = [self._weight(f"{name}.bias")] if f"{name}.bias" in self._names else []
        return self._t.node("LayerNormalization", x, self._weight(f"{name}.weight"), *bias, epsilon=eps)

    def _linear(self, x: int, name: str) -> int:
        t, has_bias = self._t, f"{name}.bias" in self._names
        if f"{name}.weight.int8" not in self._names:
            y = t.node("MatMul", x, self._float_weight(f"{name}.weight"))
        elif f"{name}.step" not in self._names:
            y = self._per_token(x, name)
        else:
            bias = [t.nothing(), self._weight(f"{name}.bias")] if has_bias else []
            return self._product(x, name, self._weight(f"{name}.step"), bias)
        return t.node("Add", y, self._weight(f"{name}.bias")) if has_bias else y

    def _per_token(self, x: int, name: str) -> int:
        t, last = self._t, self._t.whole(-1)
        if "constant.levels" in self._names:
            least = t.node("Neg", t.node("ReduceMin", x, last))
            peak = t.node("Max", t.node("ReduceMax", x, last), least, t.scalar(TINY))
            step = t.node("Mul", peak, t.scalar(1 / INT8_LEVELS))
            scaled = t.node("Mul", x, t.node("Div", t.scalar(float(INT8_LEVELS)), peak))
        else:  # as bundles had it earlier
            peak = t.node("ReduceMax", t.node("Abs", x), last)
            step = t.node("Mul", t.node("Max", peak, t.scalar(TINY)), t.scalar(1 / INT8_LEVELS))
            scaled = t.node("Div", x, step)
        return t.node("Mul", self._product(scaled, name, t.scalar(1.0), []), step)

    def _product(self, x: int, name: str, step: int, bias: list[int]) -> int:
        t, zero = self._t, self._t.constant("uint8", (), bytes([INT8_ZERO]))
        weight, scale = self._weight(f"{name}.weight.int8"), self._weight(f"{name}.weight.scale")
        number = t.node("QuantizeLinear", x, step, zero)
        return t.node("com.microsoft:MatMulIntegerToFloat", number, weight, step, scale, zero, *bias)

    # Stems.

    def _patch_stem(self) -> int:
        t, s = self._t, self._s
        tokens = self._patches()
        if "stem.norm.weight" in self._names:
            tokens = self._norm(tokens, "stem.norm", s.stem_eps)
        first = t.node("Expand", self._weight("stem.class_token"), self._shape(self._batch(), 1, 1))
        return t.node("Add", t.node("Concat", first, tokens, axis=1), self._weight("stem.position"))

    def _patches(self) -> int:
        t, s = self._t, self._s
        counted = [(n - k) // d + 1 for n, k, d in zip(s.view[1:], s.kernel, s.stride, strict=True)]
        if len(s.kernel) == 1:
            x = t.node("Reshape", t.input(), t.whole(-1, s.view[0], counted[0], s.kernel[0]))
            x = t.node("Transpose", x, perm=(0, 2, 1, 3))
            x = t.node("Reshape", x, t.whole(-1, counted[0], s.view[0] * s.kernel[0]))
            return self._linear(x, "stem.patch")
        if not {"stem.patch.weight", "stem.patch.weight.half"} & set(self._names):
            return self._patch_product(counted)
        x = t.node(
            "Conv",
            t.input(),
            self._float_weight("stem.patch.weight"),
            kernel_shape=s.kernel,
            strides=s.stride,
            pads=(0,) * (2 * len(s.kernel)),
            dilations=(1,) * len(s.kernel),
        )
        x = t.node("Reshape", x, t.whole(-1, s.width, math.prod(counted)))
        return t.node("Transpose", x, perm=(0, 2, 1))

    def _patch_product(self, counted: list[int]) -> int:
        t, s = self._t, self._s
        split = [side for both in zip(counted, s.kernel, strict=True) for side in both]
        axes = range(2, 2 + len(split))
        x = t.node("Reshape", t.input(), t.whole(-1, s.view[0], *split))
        x = t.node("Transpose", x, perm=(0, *axes[::2], 1, *axes[1::2]))
        x = t.node("Reshape", x, t.whole(-1, math.prod(counted), s.view[0] * math.prod(s.kernel)))
        return self._linear(x, "stem.patch.product")

    def _text_stem(self) -> int:
        t = self._t
        table = "stem.tokens.weight"
        if table in self._names:
            x = t.node("Gather", self._weight(table), t.input(), axis=0)
        else:
            x = t.node("Gather", self._weight(f"{table}.half"), t.input(), axis=0)
            x = t.node("Cast", x, to=FLOAT)
        positions = self._weight("stem.position")
        return t.node(
            "Add", x, t.node("Slice", positions, t.whole(0), self._length(), t.whole(1), t.whole(1))
        )

    # Shapes that depend on the input.

    def _batch(self) -> int:
        return self._t.node("Shape", self._t.input(), start=0, end=1)

    def _length(self) -> int:
        return self._t.node("Shape", self._t.input(), start=1, end=2)

    def _shape(self, *parts: int) -> int:
        """``parts``: the batch's or the length's term first, then sizes."""
        t, dynamic = self._t, 2 if self._s.reads_tokens else 1
        sizes = [t.whole(size) for size in parts[dynamic:]]
        return t.node("Concat", *parts[:dynamic], *sizes, axis=0)

    def _reshaped(self, x: int, *sizes: int) -> int:
        """To ``[batch, tokens, *sizes]``."""
        t, s = self._t, self._s
        if s.reads_tokens:
            return t.node("Reshape", x, self._shape(self._batch(), self._length(), *sizes))
        return t.node("Reshape", x, t.whole(-1, s.tokens, *sizes))

    # Attention's masks and the pooled row of texts.

    def _positions(self) -> int:
        t = self._t
        return t.node("Range", t.scalar(0), t.node("Squeeze", self._length()), t.scalar(1))

    def _where_future(self, future: int) -> int:
        return self._t.node("Where", future, self._t.scalar(-math.inf), self._t.scalar(0.0))

    def _causal_mask(self) -> int:
        t, positions = self._t, self._positions()
        row, column = t.node("Unsqueeze", positions, t.whole(0)), t.node("Unsqueeze", positions, t.whole(1))
        return self._where_future(t.node("Greater", row, column))

    def _end(self) -> int:
        return self._t.node("ArgMax", self._t.input(), axis=-1, keepdims=0)

    def _row_mask(self) -> int:
        t = self._t
        row = t.node("Unsqueeze", self._positions(), t.whole(0))
        future = t.node("Greater", row, t.node("Unsqueeze", self._end(), t.whole(1)))
        return t.node("Unsqueeze", self._where_future(future), t.whole(1, 2))

    def _pooled(self, x: int) -> int:
        t, s = self._t, self._s
        if not s.reads_tokens:
            return t.node("Slice", x, t.whole(0), t.whole(1), t.whole(1), t.whole(1))
        place = t.node("Reshape", self._end(), t.whole(-1, 1, 1))
        return t.node("GatherElements", x, t.node("Expand", place, t.whole(1, 1, s.width)), axis=1)

    # Blocks.

    def _block(self, x: int, name: str, mask: int | None) -> int:
        t, s = self._t, self._s
        packed = self._linear(self._norm(x, f"{name}.norm_1", s.eps), f"{name}.attention.qkv")
        query, key, value = self._split(packed, 3)
        mixed = self._mix(query, key, value, f"{name}.attention", mask)
        mixed = self._reshaped(t.node("Transpose", mixed, perm=(0, 2, 1, 3)), s.width)
        return self._rest(x, mixed, name)

    def _last_block(self, x: int, name: str) -> int:
        t, s = self._t, self._s
        row = self._pooled(x)
        query = self._linear(self._norm(row, f"{name}.norm_1", s.eps), f"{name}.attention.query")
        query = t.node("Reshape", query, t.whole(-1, 1, s.heads, s.width // s.heads))
        query = t.node("Transpose", query, perm=(0, 2, 1, 3))
        packed = self._linear(self._norm(x, f"{name}.norm_1", s.eps), f"{name}.attention.key_value")
        key, value = self._split(packed, 2)
        mask = self._row_mask() if s.reads_tokens else None
        mixed = self._mix(query, key, value, f"{name}.attention", mask)
        mixed = t.node("Transpose", mixed, perm=(0, 2, 1, 3))
        return self._rest(row, t.node("Reshape", mixed, t.whole(-1, 1, s.width)), name)

    def _split(self, packed: int, parts: int) -> list[int]:
        t, s = self._t, self._s
        x = self._reshaped(packed, parts, s.heads, s.width // s.heads)
        x = t.node("Transpose", x, perm=(2, 0, 3, 1, 4))
        return [t.node("Gather", x, t.scalar(i), axis=0) for i in range(parts)]

    def _mix(self, query: int, key: int, value: int, name: str, mask: int | None) -> int:
        t = self._t
        if f"{name}.bias_key" in self._names:
            key, value = self._joined(key, f"{name}.bias_key"), self._joined(value, f"{name}.bias_value")
        scores = t.node("MatMul", query, t.node("Transpose", key, perm=(0, 1, 3, 2)))
        if mask is not None:
            scores = t.node("Add", scores, mask)
        return t.node("MatMul", t.node("Softmax", scores, axis=-1), value)

    def _joined(self, x: int, name: str) -> int:
        t = self._t
        token = t.node("Expand", self._weight(name), self._shape(self._batch(), 1, 1, 1))
        return t.node("Concat", x, token, axis=2)

    def _rest(self, x: int, mixed: int, name: str) -> int:
        t = self._t
        x = t.node("Add", x, self._linear(mixed, f"{name}.attention.out"))
        hidden = self._linear(self._norm(x, f"{name}.norm_2", self._s.eps), f"{name}.mlp.up")
        return t.node("Add", x, self._linear(t.node("Gelu", hidden), f"{name}.mlp.down"))


def float32(number: float) -> float:
    """The float32 nearest to it, as a graph holds it."""
    return float(struct.unpack("<f", struct.pack("<f", number))[0])
