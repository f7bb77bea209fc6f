"""The OpenCLIP layout: the same image and text encoders under a free licence.

``--config`` is OpenCLIP's own model config (``vision_cfg``, ``text_cfg``); without it, ViT-H/14's
head widths are taken: 80 for vision, 64 for text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bindrt.errors import CheckpointError
from bindrt_export.architecture import EncoderConfig
from bindrt_export.architecture.encoder import view_of
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

EPS = 1e-5
VISION_HEAD_WIDTH = 80
TEXT_HEAD_WIDTH = 64
BLOCK = BlockNames("ln_1", "attn.in_proj_", "attn.out_proj", "ln_2", "mlp.c_fc", "mlp.c_proj")
LOGIT_SCALE = "logit_scale"


def is_openclip(keys: Mapping[str, Shape]) -> bool:
    return "visual.conv1.weight" in keys or "text_projection" in keys


def layout_of(name: str, shapes: Mapping[str, Shape], config: Mapping[str, Any]) -> Layout:
    """The layout that an OpenCLIP checkpoint with these tensors must have."""
    vision, text = vision_config(name, shapes, config), text_config(name, shapes, config)
    entries = {"vision": tuple(vision_entries(vision)), "text": tuple(text_entries(text))}
    # The scale multiplies similarities only: outputs are unit vectors on both sides.
    return Layout("openclip", {"vision": vision, "text": text}, entries, {LOGIT_SCALE: ()}, {})


def dims(name: str, shapes: Mapping[str, Shape], key: str, rank: int) -> Shape:
    shape = shapes.get(key)
    if shape is None or len(shape) != rank:
        found = "missing" if shape is None else f"of shape {list(shape)}"
        raise CheckpointError(name, f"{key} is {found}", f"the OpenCLIP layout has it with {rank} axes")
    return shape


def heads(name: str, what: str, width: int, head_width: int, given: Any) -> int:
    count = given if given is not None else width // head_width
    if type(count) is not int or count < 1 or width % count:
        problem = f"its {what} encoder has width {width}, which {shown(count)} heads do not divide"
        if given is None:
            problem += f" (taking heads of {head_width}, since no tensor shows their number)"
        raise CheckpointError(
            name, problem, 'give {"vision_cfg": {"head_width": 80}, "text_cfg": {"heads": 16}} in --config'
        )
    return count


def section(config: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = config.get(key, {})
    if not isinstance(part, dict):
        raise CheckpointError("config", f"{key} is not an object", "give OpenCLIP's model config")
    return part


def vision_config(name: str, shapes: Mapping[str, Shape], config: Mapping[str, Any]) -> EncoderConfig:
    width, channels, patch, _ = dims(name, shapes, "visual.conv1.weight", 4)
    given = section(config, "vision_cfg").get("head_width")
    if given is not None and (type(given) is not int or given < 1):
        raise CheckpointError(name, f"vision_cfg.head_width is {given!r}", "it must be a positive integer")
    size = view_of("vision", (patch, patch))[-1]
    if not 0 < patch <= size:
        raise CheckpointError(name, f"visual.conv1.weight has patches of {patch}", f"it must be 1 to {size}")
    prefix = "visual.transformer.resblocks."
    return EncoderConfig(
        name="vision",
        width=width,
        depth=count_blocks(shapes, prefix),
        heads=heads(name, "vision", width, given or VISION_HEAD_WIDTH, None),
        hidden=dims(name, shapes, prefix + "0.mlp.c_fc.weight", 2)[0],
        out=dims(name, shapes, "visual.proj", 2)[1],
        tokens=(size // patch) ** 2 + 1,
        channels=channels,
        kernel=(patch, patch),
        stride=(patch, patch),
        pre_norm=True,
        eps=EPS,
    )


def text_config(name: str, shapes: Mapping[str, Shape], config: Mapping[str, Any]) -> EncoderConfig:
    vocabulary, width = dims(name, shapes, "token_embedding.weight", 2)
    prefix = "transformer.resblocks."
    given = section(config, "text_cfg").get("heads")
    return EncoderConfig(
        name="text",
        width=width,
        depth=count_blocks(shapes, prefix),
        heads=heads(name, "text", width, TEXT_HEAD_WIDTH, given),
        hidden=dims(name, shapes, prefix + "0.mlp.c_fc.weight", 2)[0],
        out=dims(name, shapes, "text_projection", 2)[1],
        tokens=view_of("text", ())[0],
        vocabulary=vocabulary,
        eps=EPS,
    )


def vision_entries(c: EncoderConfig) -> list[Entry]:
    kernel = (c.width, c.channels, *c.kernel)
    result = [
        Entry("visual.conv1.weight", kernel, "stem.patch.weight", kernel),
        Entry("visual.class_embedding", (c.width,), "stem.class_token", (1, 1, c.width), "reshape"),
        Entry(
            "visual.positional_embedding",
            (c.tokens, c.width),
            "stem.position",
            (1, c.tokens, c.width),
            "reshape",
        ),
    ]
    result += norm_entries("visual.ln_pre", "pre_norm", c.width)
    for i in range(c.depth):
        result += block_entries(f"visual.transformer.resblocks.{i}.", BLOCK, i, c)
    result += norm_entries("visual.ln_post", "norm", c.width)
    result.append(linear_entry("visual.proj", "projection.weight", c.width, c.out, stored="in_out"))
    return result


def text_entries(c: EncoderConfig) -> list[Entry]:
    tokens = (c.vocabulary, c.width)
    result = [
        Entry(
            "positional_embedding", (c.tokens, c.width), "stem.position", (1, c.tokens, c.width), "reshape"
        ),
        Entry("token_embedding.weight", tokens, "stem.tokens.weight", tokens),
    ]
    for i in range(c.depth):
        result += block_entries(f"transformer.resblocks.{i}.", BLOCK, i, c)
    result += norm_entries("ln_final", "norm", c.width)
    result.append(linear_entry("text_projection", "projection.weight", c.width, c.out, stored="in_out"))
    return result
