"""The exported graphs: what they hold, what they refer to, and that batches and lengths are free."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

from bindrt.modalities import encoder_names
from bindrt_export.architecture import Encoder
from bindrt_export.checkpoints import open_checkpoint
from bindrt_export.passes import rewritten
from bindrt_export.verification.probes import random_view, text_probes
from support.bundles import SMALL_CONFIG

#: The most by which unit vectors may differ; float32 sums in another order.
BOUND = 2e-6


def graph_path(bundle: Path, encoder: str) -> Path:
    return bundle / "onnx" / "fp32" / f"{encoder}.onnx"


def inputs_of(encoder: Encoder, batch: int, length: int = 77) -> np.ndarray:
    """Different rows; texts end at different places, the last at ``length``."""
    if encoder.config.name != "text":
        base = random_view(encoder.config.view)
        return np.concatenate([base * np.float32(1 - 0.1 * i) for i in range(batch)])
    ids = np.repeat(text_probes()["random-77"], batch, axis=0)[:, :length]
    for row in range(batch):
        end = max(1, length - 1 - 3 * row)
        ids[row, end:] = 0
        ids[row, min(end, length - 1)] = 49407
    return ids


@pytest.fixture(scope="module", params=encoder_names())
def encoder(request: pytest.FixtureRequest, small_checkpoint: Path) -> Encoder:
    with open_checkpoint(str(small_checkpoint), SMALL_CONFIG) as checkpoint:
        module = Encoder(checkpoint.encoders[request.param])
        module.load_state_dict(dict(checkpoint.parameters(request.param)), strict=True)
    return module


def largest_difference(encoder: Encoder, session: ort.InferenceSession, inputs: np.ndarray) -> float:
    with torch.inference_mode():
        expected = encoder(torch.from_numpy(inputs)).numpy()
    actual = session.run(["embedding"], {"input": inputs})[0]
    assert actual.shape == expected.shape
    scale = np.linalg.norm(expected, axis=1, keepdims=True)
    return float(np.abs((actual - expected) / scale).max())


def test_any_batch_agrees_with_torch(encoder: Encoder, small_bundle: Path) -> None:
    session = ort.InferenceSession(graph_path(small_bundle, encoder.config.name))
    for batch in (1, 2, 5):
        assert largest_difference(encoder, session, inputs_of(encoder, batch)) <= BOUND
    if encoder.config.name == "text":
        for length in (1, 2, 9, 76):
            assert largest_difference(encoder, session, inputs_of(encoder, 3, length)) <= BOUND


def test_graph_is_valid_and_its_axes_are_named(encoder: Encoder, small_bundle: Path) -> None:
    path = graph_path(small_bundle, encoder.config.name)
    onnx.checker.check_model(str(path), full_check=True)
    model = onnx.load(path, load_external_data=False)
    opset = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    assert opset >= 18
    assert {o.domain for o in model.opset_import} <= {"", "ai.onnx"}
    dims = [d.dim_param or d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    assert dims[0] == "batch"
    assert ("length" in dims) == (encoder.config.name == "text")
    assert model.graph.output[0].type.tensor_type.shape.dim[0].dim_param == "batch"


def test_weights_are_external_and_none_is_copied(encoder: Encoder, small_bundle: Path) -> None:
    path = graph_path(small_bundle, encoder.config.name)
    model = onnx.load(path, load_external_data=False)
    outside = [t for t in model.graph.initializer if t.data_location == onnx.TensorProto.EXTERNAL]
    stored = sum(int(np.prod(t.dims)) for t in outside)
    assert stored == sum(p.numel() for p in rewritten(encoder.config).parameters())
    assert {e.value for t in outside for e in t.external_data if e.key == "location"} == {
        f"{encoder.config.name}.weights"
    }


def test_graph_tells_nothing_of_the_machine(encoder: Encoder, small_bundle: Path) -> None:
    data = graph_path(small_bundle, encoder.config.name).read_bytes()
    for trace in (b".py", b"site-packages", str(Path.home()).encode(), str(small_bundle.parent).encode()):
        assert trace not in data
