"""The official ImageBind layout: names of tensors, and the numbers that they, or the config, show."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from bindrt.errors import CheckpointError
from bindrt.modalities import MODALITIES
from bindrt.modalities.steps.constants import VOCABULARY
from bindrt_export.architecture import EncoderConfig
from bindrt_export.architecture.encoder import view_of
from bindrt_export.checkpoints import huge
from bindrt_export.checkpoints.huge import ENCODERS
from bindrt_export.checkpoints.layout import (
    BlockNames,
    Entry,
    Layout,
    Shape,
    block_entries,
    count_blocks,
    linear_entry,
    norm_entries,
    shown,
)

BLOCK = BlockNames(
    "norm_1", "attn.in_proj_", "attn.out_proj", "norm_2", "mlp.fc1", "mlp.fc2", "attn.bias_k", "attn.bias_v"
)
MASK = "modality_preprocessors.text.mask"


def is_imagebind(keys: Mapping[str, Shape]) -> bool:
    return any(key.startswith("modality_") for key in keys)


def layout_of(name: str, shapes: Mapping[str, Shape], config: Mapping[str, Any]) -> Layout:
    """The layout that a checkpoint with these tensors must have.

    Raises:
        CheckpointError: heads are not known, or the config contradicts the tensors.
    """
    refuse_unknown(config)
    encoders = {e: read_numbers(name, e, shapes, config) for e in ENCODERS if _is_held(e, shapes)}
    return assemble(encoders)


def _is_held(encoder: str, shapes: Mapping[str, Shape]) -> bool:
    """Whether a checkpoint has an encoder: ImageBind's own it must have, one of the user's own it may."""
    if any(m.original for m in MODALITIES.values() if m.encoder == encoder):
        return True
    return any(key.startswith(f"modality_trunks.{encoder}.") for key in shapes)


def layout_from_config(config: Mapping[str, Any]) -> Layout:
    """The layout of a checkpoint that is yet to be made; without config, imagebind_huge's."""
    refuse_unknown(config)
    encoders = {e: from_numbers("config", e, {}, config, {}) for e in ENCODERS}
    return assemble(encoders)


def refuse_unknown(config: Mapping[str, Any]) -> None:
    """Refuse a misspelt name, since it would export another model than was meant."""
    strides = [f"{e}_stride" for e, numbers in ENCODERS.items() if numbers.overlaps]
    known = ["out_embed_dim", *strides]
    known += [f"{e}_{name}" for e in ENCODERS for name in ("embed_dim", "num_blocks", "num_heads")]
    for key in config:
        if key not in known:
            near = get_close_matches(key, known, 1) or ["out_embed_dim", *strides, "vision_num_heads"]
            raise CheckpointError(
                "config", f"{shown(key)} is not known", f"did you mean {' or '.join(near)}?"
            )


def assemble(encoders: Mapping[str, EncoderConfig]) -> Layout:
    scaled = [e for e in encoders if ENCODERS[e].scale is not None]
    scale_keys = {e: f"modality_postprocessors.{e}.1.log_logit_scale" for e in scaled}
    extra: dict[str, Shape] = dict.fromkeys(scale_keys.values(), ())
    length = encoders["text"].tokens
    extra[MASK] = (length, length)
    return Layout(
        "imagebind", encoders, {e: tuple(entries(c)) for e, c in encoders.items()}, extra, scale_keys
    )


def read_numbers(
    name: str, encoder: str, shapes: Mapping[str, Shape], config: Mapping[str, Any]
) -> EncoderConfig:
    """One encoder's numbers; where a tensor is missing, imagebind_huge's (the strict check reports it)."""
    pre, trunk = f"modality_preprocessors.{encoder}.", f"modality_trunks.{encoder}.blocks."
    found: dict[str, int] = {}
    positions = shapes.get(pre + ENCODERS[encoder].position)
    if positions is not None and len(positions) == 3:
        found["tokens"], found["width"] = positions[1], positions[2]
    blocks = count_blocks(shapes, trunk)
    if blocks:
        found["depth"] = blocks
    up = shapes.get(f"{trunk}0.mlp.fc1.weight")
    if up is not None and len(up) == 2:
        found["hidden"] = up[0]
    projection = shapes.get(f"modality_heads.{encoder}.{ENCODERS[encoder].head[1]}.weight")
    if projection is not None and len(projection) == 2:
        found["out"] = projection[0]
    vocabulary = shapes.get(pre + "token_embedding.weight")
    if vocabulary is not None and len(vocabulary) == 2:
        found["vocabulary"] = vocabulary[0]
    return from_numbers(name, encoder, found, config, shapes)


def from_numbers(
    name: str, encoder: str, found: Mapping[str, int], config: Mapping[str, Any], shapes: Mapping[str, Shape]
) -> EncoderConfig:
    """Numbers from the tensors (``found``), else from the config, else from imagebind_huge's table."""
    known = ENCODERS[encoder]
    width = pick(name, f"{encoder}_embed_dim", found.get("width"), config, known.width)
    depth = pick(name, f"{encoder}_num_blocks", found.get("depth"), config, known.depth)
    out = pick(name, "out_embed_dim", found.get("out"), config, huge.OUT)
    heads = pick_heads(name, encoder, width, config)
    kernel, stride = patch_numbers(encoder, config, shapes)
    view = view_of(encoder, kernel)
    return EncoderConfig(
        name=encoder,
        width=width,
        depth=depth,
        heads=heads,
        hidden=found.get("hidden", huge.MLP_RATIO * width),
        out=out,
        tokens=patch_count(view[1:], kernel, stride) + 1 if kernel else view[0],
        channels=view[0] if kernel else 0,
        kernel=kernel,
        stride=stride,
        vocabulary=0 if kernel else found.get("vocabulary", VOCABULARY),
        bias_token=known.bias_token,
        pre_norm=known.pre_norm,
        stem_norm=known.bias_token,
    )


def pick(name: str, option: str, tensor: int | None, config: Mapping[str, Any], known: int) -> int:
    given = config.get(option)
    if option in config and (type(given) is not int or not 0 < given <= 1 << 16):
        raise CheckpointError(name, f"config {option} is {given!r}", "it must be a positive integer")
    if tensor is not None and given is not None and tensor != given:
        raise CheckpointError(
            name, f"config says {option} = {given}, the tensors say {tensor}", "correct --config"
        )
    return int(tensor if tensor is not None else given if given is not None else known)


def pick_heads(name: str, encoder: str, width: int, config: Mapping[str, Any]) -> int:
    option = f"{encoder}_num_heads"
    if option in config:
        heads = pick(name, option, None, config, 0)
    elif width == ENCODERS[encoder].width:
        heads = ENCODERS[encoder].heads
    else:
        raise CheckpointError(
            name,
            f"its {encoder} encoder has width {width}, and no tensor shows the number of heads",
            f'give it in --config, for example {{"{option}": 4}}',
        )
    if width % heads:
        raise CheckpointError(
            name, f"{option} = {heads} does not divide the width {width}", "correct --config"
        )
    return heads


def patch_numbers(
    encoder: str, config: Mapping[str, Any], shapes: Mapping[str, Shape]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Kernel and stride of the patches, from the tensor, the config or imagebind_huge's table."""
    known = ENCODERS[encoder]
    dims = len(known.kernel)
    if dims < 2:  # token ids have no patches, and those of samples are flattened in the tensor
        return known.kernel, known.stride
    stem = shapes.get(f"modality_preprocessors.{encoder}.{known.stem}")
    plausible = stem is not None and len(stem) == dims + 2 and all(0 < k <= 224 for k in stem[2:])
    kernel = tuple(stem[2:]) if stem is not None and plausible else known.kernel
    if known.overlaps:
        step = pick("config", f"{encoder}_stride", None, config, known.stride[0])
        return kernel, (step,) * dims
    return kernel, kernel


def patch_count(size: tuple[int, ...], kernel: tuple[int, ...], stride: tuple[int, ...]) -> int:
    """Number of whole patches of ``kernel`` at ``stride`` in ``size``."""
    total = 1
    for n, k, s in zip(size, kernel, stride, strict=True):
        total *= max((n - k) // s + 1, 0)
    return total


def entries(c: EncoderConfig) -> list[Entry]:
    """Every tensor of one encoder."""
    pre = f"modality_preprocessors.{c.name}."
    result = stem_entries(pre, c)
    if c.pre_norm:
        result += norm_entries(f"modality_trunks.{c.name}.pre_transformer_layer.0", "pre_norm", c.width)
    for i in range(c.depth):
        result += block_entries(f"modality_trunks.{c.name}.blocks.{i}.", BLOCK, i, c)
    norm, projection = ENCODERS[c.name].head
    result += norm_entries(f"modality_heads.{c.name}.{norm}", "norm", c.width)
    result.append(
        linear_entry(f"modality_heads.{c.name}.{projection}.weight", "projection.weight", c.width, c.out)
    )
    return result


def stem_entries(pre: str, c: EncoderConfig) -> list[Entry]:
    table = (1, c.tokens, c.width)
    known = ENCODERS[c.name]
    if c.reads_tokens:
        tokens = (c.vocabulary, c.width)
        return [
            Entry(pre + known.position, table, "stem.position", table),
            Entry(pre + "token_embedding.weight", tokens, "stem.tokens.weight", tokens),
        ]
    one = (1, 1, c.width)
    result = [
        Entry(pre + "cls_token", one, "stem.class_token", one),
        Entry(pre + known.position, table, "stem.position", table),
    ]
    stem = pre + known.stem
    if c.reads_samples:
        result.append(linear_entry(stem, "stem.patch.weight", c.channels * c.kernel[0], c.width))
    else:
        kernel = (c.width, c.channels, *c.kernel)
        result.append(Entry(stem, kernel, "stem.patch.weight", kernel))
    if c.stem_norm:
        base = stem.split(".proj.")[0]
        result += norm_entries(f"{base}.norm_layer", "stem.norm", c.width)
    return result
