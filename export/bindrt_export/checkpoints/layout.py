"""How the keys of a checkpoint layout map onto our parameters, and the strict check against them."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from bindrt.errors import CheckpointError
from bindrt_export.architecture import EncoderConfig

Shape = tuple[int, ...]
Transform = Literal["as_is", "transpose", "reshape"]


@dataclass(frozen=True)
class Entry:
    """One tensor of the checkpoint.

    Attributes:
        key: its name there.
        shape: the shape it must have there.
        parameter: our parameter's name.
        target: our parameter's shape.
        transform: how to get from one to the other; ``transpose`` swaps two axes.
    """

    key: str
    shape: Shape
    parameter: str
    target: Shape
    transform: Transform = "as_is"


@dataclass(frozen=True)
class Layout:
    """All tensors a checkpoint must have.

    Attributes:
        family: ``imagebind`` or ``openclip``.
        encoders: the numbers of each encoder, read from the tensors and the config.
        entries: per encoder, every tensor its parameters come from.
        extra: tensors that must be there but become no parameter, with their shapes.
        scale_keys: per encoder, the key of its scale's logarithm.
    """

    family: str
    encoders: Mapping[str, EncoderConfig]
    entries: Mapping[str, tuple[Entry, ...]]
    extra: Mapping[str, Shape]
    scale_keys: Mapping[str, str]

    def expected(self) -> dict[str, Shape]:
        """Every key with its shape."""
        shapes = {e.key: e.shape for entries in self.entries.values() for e in entries}
        shapes.update(self.extra)
        return shapes


@dataclass(frozen=True)
class BlockNames:
    """Names of a block's tensors in a layout, after its prefix."""

    norm_1: str
    qkv: str
    out: str
    norm_2: str
    up: str
    down: str
    bias_key: str = ""
    bias_value: str = ""


def norm_entries(key: str, parameter: str, width: int) -> list[Entry]:
    return [Entry(f"{key}.{p}", (width,), f"{parameter}.{p}", (width,)) for p in ("weight", "bias")]


def linear_entry(key: str, parameter: str, inputs: int, outputs: int, stored: str = "out_in") -> Entry:
    """A linear's weight, stored ``[out, in]`` (``out_in``) or ``[in, out]``; ours is ``[in, out]``."""
    if stored == "in_out":
        return Entry(key, (inputs, outputs), parameter, (inputs, outputs))
    return Entry(key, (outputs, inputs), parameter, (inputs, outputs), "transpose")


def block_entries(prefix: str, names: BlockNames, index: int, c: EncoderConfig) -> list[Entry]:
    """The tensors of block ``index``; ``prefix`` ends with the block's own number and a dot."""
    ours = f"blocks.{index}"
    w, hidden = c.width, c.hidden
    qkv_weight, qkv_bias = f"{prefix}{names.qkv}weight", f"{prefix}{names.qkv}bias"
    entries = norm_entries(prefix + names.norm_1, f"{ours}.norm_1", w)
    entries += norm_entries(prefix + names.norm_2, f"{ours}.norm_2", w)
    entries += [
        linear_entry(qkv_weight, f"{ours}.attention.qkv.weight", w, 3 * w),
        Entry(qkv_bias, (3 * w,), f"{ours}.attention.qkv.bias", (3 * w,)),
        linear_entry(f"{prefix}{names.out}.weight", f"{ours}.attention.out.weight", w, w),
        Entry(f"{prefix}{names.out}.bias", (w,), f"{ours}.attention.out.bias", (w,)),
        linear_entry(f"{prefix}{names.up}.weight", f"{ours}.mlp.up.weight", w, hidden),
        Entry(f"{prefix}{names.up}.bias", (hidden,), f"{ours}.mlp.up.bias", (hidden,)),
        linear_entry(f"{prefix}{names.down}.weight", f"{ours}.mlp.down.weight", hidden, w),
        Entry(f"{prefix}{names.down}.bias", (w,), f"{ours}.mlp.down.bias", (w,)),
    ]
    if c.bias_token:
        per_head = (1, c.heads, 1, w // c.heads)
        for key, parameter in ((names.bias_key, "bias_key"), (names.bias_value, "bias_value")):
            entries.append(
                Entry(prefix + key, (1, 1, w), f"{ours}.attention.{parameter}", per_head, "reshape")
            )
    return entries


def check_strictly(name: str, shapes: Mapping[str, Shape], expected: Mapping[str, Shape]) -> None:
    """Require every expected key with its shape and no other; one error names the first ten deviations."""
    missing = [f"missing {k} {list(v)}" for k, v in expected.items() if k not in shapes]
    misshapen = [
        f"{k} is {list(shapes[k])}, expected {list(v)}"
        for k, v in expected.items()
        if k in shapes and tuple(shapes[k]) != v
    ]
    unexpected = [f"unexpected {shown(k)} {list(shapes[k])}" for k in shapes if k not in expected]
    found = missing + misshapen + unexpected
    if found:
        counts = f"{len(missing)} missing, {len(misshapen)} misshapen, {len(unexpected)} unexpected"
        raise CheckpointError(
            name,
            f"its tensors do not fit the architecture ({counts} of {len(expected)} expected): "
            + first_ten(found),
            "give a checkpoint in a supported layout; other sizes than imagebind_huge's need --config",
        )


def shown(key: object) -> str:
    """A key of a file for a message: short, and without characters that a terminal would obey."""
    if isinstance(key, str):
        return key[:200] if key.isprintable() else repr(key[:200])
    return reprlib.repr(key)


def first_ten(lines: Iterable[str]) -> str:
    listed = list(lines)
    more = f"; and {len(listed) - 10} more" if len(listed) > 10 else ""
    return "; ".join(listed[:10]) + more


def count_blocks(keys: Iterable[str], prefix: str) -> int:
    """Number of blocks whose keys start with ``prefix`` and a number; gaps show up as missing keys."""
    numbers = {key[len(prefix) :].split(".", 1)[0] for key in keys if key.startswith(prefix)}
    found = [int(n) for n in numbers if n.isascii() and n.isdigit() and len(n) < 4]
    return max(found) + 1 if found else 0
