"""Training on a few scenes: the fast forward pass is the architecture's, runs go on, weights load."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from bindrt_export.architecture import Encoder
from bindrt_export.checkpoints import open_checkpoint
from tiny import fast
from tiny.model import CONFIG, LAYOUT, new_encoder

TRAIN = Path(__file__).resolve().parent.parent.parent / "examples" / "tiny" / "train.py"


def inputs(name: str) -> torch.Tensor:
    if name == "text":
        ids = torch.randint(1, 49_000, (3, 20))
        ids[:, 12] = 49_407
        return ids
    shapes = {"vision": (3, 2, 224, 224), "audio": (1, 128, 204), "imu": (6, 2000)}
    return torch.randn(3, *shapes.get(name, (1, 224, 224)))


@pytest.mark.parametrize("name", LAYOUT.encoders)
def test_fast_forward_pass_is_the_plain_one(name: str) -> None:
    torch.manual_seed(3)
    encoder, x = new_encoder(name), inputs(name)
    with torch.inference_mode():
        assert torch.allclose(fast.embed(encoder, x), encoder(x), atol=2e-6)
        if name != "text":
            part = fast.embed(encoder, x, 0.3)
            assert part.shape == (3, CONFIG["out_embed_dim"])
            assert not torch.allclose(part, fast.embed(encoder, x), atol=1e-3)


@pytest.mark.deep
def test_training_resumes_and_its_weights_load(tmp_path: Path) -> None:
    command = [
        sys.executable,
        str(TRAIN),
        "--scenes",
        "140",
        "--work",
        str(tmp_path),
        "--output",
        str(tmp_path / "w"),
    ]

    def run(*steps: str) -> dict[str, float]:
        done = subprocess.run([*command, "--steps", *steps, "--threads", "2"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        facts = json.loads((tmp_path / "w" / "training.json").read_text())
        return {s["name"]: s["steps"] for s in facts["stages"]}

    assert run("2", "1") == {"image-text": 2, "audio": 1, "depth": 1, "thermal": 1, "imu": 1}
    before = torch.load(tmp_path / "image-text.pt", weights_only=True)
    assert run("3", "1")["image-text"] == 3
    after = torch.load(tmp_path / "image-text.pt", weights_only=True)
    assert after["losses"][:2] == before["losses"]
    weights = tmp_path / "w" / "bind_tiny.safetensors"
    assert weights.stat().st_size < 16e6
    with open_checkpoint(str(weights), CONFIG) as checkpoint:
        assert "Apache" in checkpoint.licence
        assert checkpoint.encoders["audio"].scale == pytest.approx(20, rel=1e-3)
        encoder = Encoder(checkpoint.encoders["depth"])
        encoder.load_state_dict(dict(checkpoint.parameters("depth")))
        trained = torch.load(tmp_path / "depth.pt", weights_only=True)["encoders"]["depth"]
        for key, value in encoder.state_dict().items():
            assert np.abs(value.numpy() - trained[key].numpy()).max() < 2e-3, key
