"""End to end against the original: files in, its own model's vectors out.

The model is the golden small one (random weights): ``normalize=False`` must give what the original
returned. Bounds are those of the reference data, relative to a vector's length.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from support import bundles
from support.golden import HERE, Case, cases, whole

BOUND = {"audio": 1e-4, "video": 1e-4}
DEFAULT_BOUND = 3e-5
OPENCLIP_BOUND = 2e-5
GOLDEN = np.load(HERE / "model" / "small_embeddings.npz")
TEXTS: list[str] = json.loads((HERE / "inputs" / "text.json").read_text("utf-8"))
FILES = [
    pytest.param(modality, *case.values, id=f"{modality}-{case.id}")
    for modality in ("image", "video", "audio", "depth", "thermal", "imu")
    for case in cases(modality)
]


def relative_difference(actual: np.ndarray, expected: np.ndarray) -> float:
    """The largest ``|a − e| / |e|`` of all rows; infinite for what is not finite."""
    assert actual.shape == expected.shape
    if not np.isfinite(actual).all():
        return float("inf")
    gap = np.linalg.norm(actual.astype(np.float64) - expected, axis=-1)
    return float((gap / np.linalg.norm(expected, axis=-1)).max())


@pytest.fixture(scope="module", params=["onnxruntime", "native"])
def model(request: pytest.FixtureRequest, small_bundle: Path) -> Iterator[bindrt.Model]:
    """The golden small model in each of the engines of the base installation."""
    with bindrt.load(small_bundle, engine=request.param) as loaded:
        yield loaded


@pytest.mark.parametrize(("modality", "case"), FILES)
def test_file_gives_the_original_vector(model: bindrt.Model, modality: str, case: Case) -> None:
    files = modality in ("image", "video", "audio")
    expected = GOLDEN[f"{modality}|{case.path.name if files else case.path.stem}"]
    rows = model.embed(**{modality: case.path}, normalize=False)[modality]  # type: ignore[arg-type]
    assert relative_difference(rows[0], expected.reshape(-1)) <= BOUND.get(modality, DEFAULT_BOUND)


def test_texts_give_the_original_vectors(model: bindrt.Model) -> None:
    rows = model.embed(text=TEXTS, normalize=False).text
    assert relative_difference(rows, GOLDEN["text"]) <= DEFAULT_BOUND


def test_one_wrong_weight_is_seen(small_checkpoint: Path, tmp_path: Path, small_model: bindrt.Model) -> None:
    """The bounds are tight enough to notice a single changed block."""
    from safetensors.torch import load_file, save_file

    state = load_file(small_checkpoint)
    state["modality_trunks.imu.blocks.0.norm_1.weight"] *= 1.01
    save_file(state, tmp_path / "changed.safetensors")
    bundle = bundles.export(
        tmp_path / "changed.safetensors", tmp_path / "changed.bind", bundles.SMALL_CONFIG, ["imu"]
    )
    sample = HERE / "inputs" / "imu" / "s2.npz"
    rows = bindrt.load(bundle).embed(imu=sample, normalize=False).imu
    assert relative_difference(rows[0], GOLDEN["imu|s2"].reshape(-1)) > DEFAULT_BOUND


needs_whole = pytest.mark.skipif(whole() is None, reason="the whole reference data is not here")


def reference_model() -> Path:
    folder = whole()
    assert folder is not None
    return folder / "ref" / "model"


@needs_whole
def test_openclip_layout_gives_its_vectors(tmp_path: Path) -> None:
    model_folder = reference_model()
    golden = np.load(model_folder / "openclip_small_embeddings.npz")
    config: dict[str, Any] = json.loads((model_folder / "openclip_small.json").read_text())
    bundle = bundles.export(model_folder / "openclip_small.safetensors", tmp_path / "openclip.bind", config)
    model = bindrt.load(bundle)
    assert model.modalities == ("image", "text")
    assert model.bundle.manifest.text_scale == pytest.approx(float(golden["logit_scale_exp"]), rel=1e-6)
    names = [key for key in golden if key.startswith("image|")]
    images = [model_folder.parent.parent / "inputs" / "image" / name.split("|")[1] for name in names]
    found = model.embed(image=images, text=TEXTS)
    assert np.abs(found.image - np.stack([golden[n].reshape(-1) for n in names])).max() <= OPENCLIP_BOUND
    assert np.abs(found.text - golden["text"]).max() <= OPENCLIP_BOUND


def small_tokens() -> np.ndarray:
    return np.load(HERE / "ref" / "text" / "tokens.npz")["values"]


@needs_whole
def test_trimmed_model_is_the_whole_one(small_checkpoint: Path) -> None:
    """What the repository keeps is the reference model, but for rows of the token table nobody reads."""
    import torch
    from safetensors.torch import load_file

    original = torch.load(reference_model() / "small.pth", weights_only=True)
    ours = load_file(small_checkpoint)
    assert ours.keys() == original.keys()
    table = "modality_preprocessors.text.token_embedding.weight"
    used = torch.from_numpy(np.unique(small_tokens()))
    assert torch.equal(ours.pop(table)[used], original.pop(table)[used])
    assert all(torch.equal(tensor, original[name]) for name, tensor in ours.items())
