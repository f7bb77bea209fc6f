"""bind-tiny's sizes, its encoders, and its checkpoint in the official layout."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from bindrt_export.architecture import Encoder
from bindrt_export.checkpoints.imagebind import MASK, layout_from_config

#: The constructor's numbers, as ``bind-export --config`` takes them.
CONFIG: dict[str, int] = {
    "out_embed_dim": 96,
    "vision_embed_dim": 96,
    "vision_num_blocks": 4,
    "vision_num_heads": 4,
    "text_embed_dim": 48,
    "text_num_blocks": 3,
    "text_num_heads": 4,
    "audio_embed_dim": 96,
    "audio_num_blocks": 4,
    "audio_num_heads": 4,
    "depth_embed_dim": 96,
    "depth_num_blocks": 4,
    "depth_num_heads": 4,
    "thermal_embed_dim": 96,
    "thermal_num_blocks": 4,
    "thermal_num_heads": 4,
    "imu_embed_dim": 96,
    "imu_num_blocks": 4,
    "imu_num_heads": 4,
}
LICENCE = """\
bind-tiny's weights were trained by the bindrt project on its own synthetic world (examples/tiny).
They may be used freely under the Apache License, Version 2.0.
"""
#: Factors after normalising, as in the published model; text's is learned.
SCALES = {"audio": 20.0, "depth": 5.0, "thermal": 10.0, "imu": 5.0}
LAYOUT = layout_from_config(CONFIG)


def new_encoder(name: str) -> Encoder:
    """An encoder with fresh weights: truncated normals, small residual branches."""
    encoder = Encoder(LAYOUT.encoders[name])
    depth = LAYOUT.encoders[name].depth
    for parameter_name, parameter in encoder.named_parameters():
        if "norm" in parameter_name:
            nn.init.constant_(parameter, 1.0 if parameter_name.endswith("weight") else 0.0)
        elif parameter_name.endswith("bias"):
            nn.init.zeros_(parameter)
        elif "patch" in parameter_name:
            fan_in = parameter.shape[0] if parameter.dim() == 2 else math.prod(parameter.shape[1:])
            nn.init.trunc_normal_(parameter, std=fan_in**-0.5)
        elif "position" in parameter_name or "token" in parameter_name or "bias_" in parameter_name:
            nn.init.trunc_normal_(parameter, std=0.02)
        else:
            std = parameter.shape[0] ** -0.5
            branch = "attention.out" in parameter_name or "mlp.down" in parameter_name
            nn.init.trunc_normal_(parameter, std=std / math.sqrt(2 * depth) if branch else std)
    return encoder


def save_checkpoint(path: Path, encoders: Mapping[str, Encoder], text_scale: float, used: Tensor) -> None:
    """All encoders as float16 safetensors with the official keys.

    Rows of the token table that training never saw (``used`` is False) become zeros: they hold
    nothing, and zeros cost nothing in an archive.
    """
    state: dict[str, Tensor] = {}
    for name, entries in LAYOUT.entries.items():
        parameters = dict(encoders[name].named_parameters())
        for entry in entries:
            value = parameters[entry.parameter].detach()
            value = value.t() if entry.transform == "transpose" else value.reshape(entry.shape)
            if entry.parameter == "stem.tokens.weight":
                value = value * used[:, None]
            state[entry.key] = value.to(torch.float16).contiguous()
    for name, key in LAYOUT.scale_keys.items():
        state[key] = torch.tensor(
            math.log(text_scale if name == "text" else SCALES[name]), dtype=torch.float32
        )
    state[MASK] = torch.full(LAYOUT.extra[MASK], float("-inf")).triu(1)
    save_file(state, path, metadata={"license_text": LICENCE, "format": "pt"})
