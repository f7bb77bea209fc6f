"""PyTorch's form of an encoder's weights, which the peers load."""

from __future__ import annotations

import json
import os
from pathlib import Path

import torch

from bindrt_export.architecture import Encoder, EncoderConfig
from bindrt_export.checkpoints import open_checkpoint


def torch_checkpoint(checkpoint: str, encoder: str, folder: Path) -> Path:
    """The encoder's weights as ``torch.save`` writes them, made once; its numbers are beside it."""
    path = folder / f"{encoder}.pth"
    if not path.exists():
        with open_checkpoint(checkpoint, {}) as opened:
            torch.save(dict(opened.parameters(encoder)), path)
            numbers = vars(opened.encoders[encoder])
            Path(f"{path}.json").write_text(json.dumps(numbers), encoding="utf-8")
        os.sync()
    return path


def load_encoder(path: Path, mapped: bool) -> Encoder:
    """The plain module with these weights; with ``mapped`` they stay in the file until they are used."""
    numbers = json.loads(Path(f"{path}.json").read_text("utf-8"))
    config = EncoderConfig(**{k: tuple(v) if isinstance(v, list) else v for k, v in numbers.items()})
    with torch.device("meta"):
        module = Encoder(config)
    module.load_state_dict(torch.load(path, weights_only=True, mmap=mapped), assign=True)
    return module.eval()
