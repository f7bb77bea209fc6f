"""Checkpoints made to do harm: archives that unpack without end, sizes that fit nothing, strange keys."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from bindrt.errors import CheckpointError
from bindrt_export.checkpoints import open_checkpoint
from bindrt_export.checkpoints.imagebind import layout_from_config
from bindrt_export.checkpoints.random_weights import RandomTensors
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
