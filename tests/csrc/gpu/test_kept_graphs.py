"""How many graphs a pipeline keeps: one for each number of rows, length of texts and set of buffers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt import _core
from bindrt.modalities import MODALITIES


class Engine:
    """It computes nothing: what is asked for is how its pipeline is made."""

    name, device, precision, max_batch = "nothing", "cuda:0", "fp32", 32

    def run(self, inputs: np.ndarray, out: np.ndarray) -> None:
        out[...] = 1

    def enqueue(self, shape: tuple[int, ...], source: int, target: int, stream: int) -> None:
        raise RuntimeError("not now")


def kept(monkeypatch: pytest.MonkeyPatch, encoder: str, item: dict[str, Any], **options: Any) -> int:
    made: list[Any] = []
    real = _core.Pipeline
    monkeypatch.setattr(_core, "Pipeline", lambda *args: made.append(args[-1]) or real(*args))
    pipeline = bindrt.PipelineOptions(**options)
    with bindrt.load("tiny", engines={encoder: Engine()}, pipeline=pipeline) as model:
        model.embed(**item)
    return int(made[0]["graphs"])


def test_all_graphs_have_room(gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else each would push another out before it is launched."""
    tokens = MODALITIES["text"].tokens
    assert tokens is not None
    rows, sets = len(gpu.graph_rows(Engine.max_batch)), 2
    assert rows == 5
    assert kept(monkeypatch, "text", {"text": "a"}) == rows * sets * len(tokens.lengths) > 32
    picture = np.zeros((8, 8, 3), np.uint8)
    both = rows + 1  # videos share those of images; a full batch of them has 30 rows
    assert kept(monkeypatch, "vision", {"image": picture}) == both * sets
    assert kept(monkeypatch, "vision", {"image": picture}, gpu_buffers=3) == both * 3
    assert kept(monkeypatch, "vision", {"image": picture}, cuda_graphs=False) == 0
