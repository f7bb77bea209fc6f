"""Checkpoints made to do harm: archives that unpack without end, sizes that fit nothing, strange keys."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from bindrt.errors import CheckpointError, ExportError
from bindrt_export.checkpoints import open_checkpoint
from bindrt_export.checkpoints.imagebind import layout_from_config
from bindrt_export.checkpoints.random_weights import RandomTensors
from bindrt_export.exporter import run
from bindrt_export.request import EngineRequest, ExportRequest
from bindrt_export.terminal import SilentProgress
from bindrt_export.verification.comparison import difference, require_within
from support.bundles import TINY_CONFIG


@pytest.fixture
def state() -> dict[str, Any]:
    tensors = RandomTensors(0, layout_from_config(TINY_CONFIG))
    return {key: tensors.read(key) for key in tensors.shapes()}


def refused(path: Path) -> str:
    with pytest.raises(CheckpointError) as caught, open_checkpoint(str(path), TINY_CONFIG):
        pass
    return str(caught.value)


def test_the_tiny_state_is_good(state: dict[str, Any], tmp_path: Path) -> None:
    save_file(state, tmp_path / "a.safetensors")
    with open_checkpoint(str(tmp_path / "a.safetensors"), TINY_CONFIG) as checkpoint:
        assert len(dict(checkpoint.parameters("imu"))) > 10


def test_compressed_archives_are_not_unpacked(state: dict[str, Any], tmp_path: Path) -> None:
    torch.save(state, tmp_path / "a.pth")
    with (
        zipfile.ZipFile(tmp_path / "a.pth") as plain,
        zipfile.ZipFile(tmp_path / "b.pth", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    assert "is compressed; save it again with torch.save" in refused(tmp_path / "b.pth")


def test_an_archive_on_several_disks(state: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save(state, path)
    data = bytearray(path.read_bytes())
    locator = data.rindex(b"PK\x06\x07")
    data[locator + 16] = 2
    path.write_bytes(data)
    assert "damaged .pth file" in refused(path)


@pytest.mark.parametrize(
    ("key", "shape", "words"),
    [
        ("modality_preprocessors.text.token_embedding.weight", (100, 16), "vocabulary has 100 tokens"),
        ("modality_heads.x\x1b[2J", (1,), r"'modality_heads.x\x1b[2J'"),
        ("modality_heads." + "x" * 10_000, (1,), "1 unexpected"),
    ],
)
def test_strange_tensors(
    state: dict[str, Any], tmp_path: Path, key: str, shape: tuple[int, ...], words: str
) -> None:
    state[key] = torch.zeros(shape)
    for name in ("a.pth", "a.safetensors"):
        save_file(state, tmp_path / name) if name.endswith("s") else torch.save(state, tmp_path / name)
        text = refused(tmp_path / name)
        assert words in text
        assert text.isprintable()
        assert len(text) < 1000


def test_an_encoder_of_no_hidden_units(state: dict[str, Any], tmp_path: Path) -> None:
    block = "modality_trunks.imu.blocks.0.mlp."
    state |= {block + "fc1.weight": torch.zeros(0, 16), block + "fc1.bias": torch.zeros(0)}
    state[block + "fc2.weight"] = torch.zeros(16, 0)
    save_file(state, tmp_path / "a.safetensors")
    assert "imu encoder has a width of 0" in refused(tmp_path / "a.safetensors")


def test_patches_larger_than_the_input(state: dict[str, Any], tmp_path: Path) -> None:
    for encoder, stem, kernel in (
        ("audio", "rgbt_stem.proj.weight", (16, 1, 200, 200)),
        ("vision", "rgbt_stem.proj.1.weight", (16, 3, 3, 14, 14)),
    ):
        base = f"modality_preprocessors.{encoder}."
        changed = {
            base + stem: torch.zeros(kernel),
            base + "pos_embedding_helper.pos_embed": torch.zeros(1, 1, 16),
        }
        save_file(state | changed, tmp_path / "a.safetensors")
        assert f"its {encoder} patches of" in refused(tmp_path / "a.safetensors")


def test_a_negated_view_is_read(state: dict[str, Any], tmp_path: Path) -> None:
    key = "modality_heads.imu.3.weight"
    torch.save({**state, key: torch._neg_view(state[key])}, tmp_path / "a.pth")
    with open_checkpoint(str(tmp_path / "a.pth"), TINY_CONFIG) as checkpoint:
        found = dict(checkpoint.parameters("imu"))["projection.weight"]
        assert np.array_equal(found.numpy(), -state[key].t().numpy())
        assert len(checkpoint.fingerprint) == 64


def test_kinds_of_tensors_that_are_refused_are_not_warned_of(
    state: dict[str, Any], tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    key = "modality_heads.imu.3.weight"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save(
            {**state, key: torch.quantize_per_tensor(state[key], 0.1, 0, torch.qint8)}, tmp_path / "a.pth"
        )
    assert "not a plain dense tensor" in refused(tmp_path / "a.pth")
    assert not recwarn.list


def test_a_folder_is_not_called_missing(tmp_path: Path) -> None:
    assert "not a regular file" in refused(tmp_path)


@pytest.mark.parametrize("value", [0.0, 3e38])
def test_weights_that_give_no_vector(state: dict[str, Any], tmp_path: Path, value: float) -> None:
    """Also with ``--allow``: nobody can use such a bundle."""
    state["modality_heads.imu.3.weight"] = torch.full((16, 16), value)
    save_file(state, tmp_path / "a.safetensors")
    request = ExportRequest(
        str(tmp_path / "a.safetensors"), tmp_path / "a.bind", TINY_CONFIG, ["imu"], EngineRequest(allow=True)
    )
    with pytest.raises(CheckpointError, match="PyTorch's own imu vector"):
        run(request, SilentProgress())
    assert not (tmp_path / "a.bind").exists()


def test_vectors_without_a_direction_are_never_allowed() -> None:
    with pytest.raises(ExportError, match="in fp16 are zero or not finite"):
        require_within(
            "imu", difference(np.ones((1, 4), np.float32), np.zeros((1, 4), np.float32)), "fp16", True
        )
