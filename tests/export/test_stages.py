"""The architecture against the original, stage by stage, so that a difference is found where it starts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from bindrt.preprocess import prepare
from bindrt_export.architecture import Encoder
from bindrt_export.checkpoints import open_checkpoint
from support.bundles import SMALL_CONFIG
from support.golden import whole

BOUND = 1e-4
FIRST = {
    "vision": ("image", "cmyk.jpg"),
    "audio": ("audio", "dc_offset_16k.wav"),
    "depth": ("depth", "d0"),
    "thermal": ("thermal", "t0"),
    "imu": ("imu", "s0"),
}

pytestmark = pytest.mark.skipif(whole() is None, reason="the whole reference data is not here")


def first_input(golden: Path, encoder: str) -> torch.Tensor:
    """What the reference stages were computed from: ``[1, …]``, for text ``[4, 77]``."""
    if encoder == "text":
        texts = json.loads((golden / "inputs" / "text.json").read_text("utf-8"))[:4]
        return torch.from_numpy(np.stack([np.asarray(prepare("text", t).array) for t in texts]))
    modality, name = FIRST[encoder]
    path = next((golden / "inputs" / modality).glob(f"{name}*"))
    view = torch.from_numpy(np.asarray(prepare(modality, path).array))
    if encoder == "vision":
        return view[None, :, None].repeat(1, 1, 2, 1, 1)
    return view[:1] if encoder == "audio" else view[None]


@pytest.mark.parametrize("encoder", [*FIRST, "text"])
def test_stages_are_the_original_ones(encoder: str) -> None:
    golden = whole()
    assert golden is not None
    stages = np.load(golden / "ref" / "model" / "small_stages.npz")
    with open_checkpoint(str(golden / "ref" / "model" / "small.pth"), SMALL_CONFIG) as checkpoint:
        module = Encoder(checkpoint.encoders[encoder])
        module.load_state_dict(dict(checkpoint.parameters(encoder)), strict=True)
    x = first_input(golden, encoder)
    with torch.inference_mode():
        tokens = module.stem(x)
        trunk = module.trunk(tokens)
        head = module.head(trunk, x)
        found = {"tokens": tokens, "trunk": trunk, "head": head, "output": module.finish(head)}
    for stage, actual in found.items():
        expected = stages[f"{encoder}|{stage}"]
        np.testing.assert_allclose(
            actual.numpy().reshape(expected.shape),
            expected,
            atol=BOUND,
            rtol=BOUND,
            err_msg=f"{encoder} {stage}",
        )
