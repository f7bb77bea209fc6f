"""Checkpoints: every layout and format is read strictly, and nothing in a file is executed."""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from bindrt.errors import CheckpointError
from bindrt_export.checkpoints import open_checkpoint
from bindrt_export.checkpoints.imagebind import layout_from_config
from bindrt_export.checkpoints.openclip import layout_of
from support.bundles import SMALL_CONFIG, TINY_CONFIG

State = dict[str, torch.Tensor]


@pytest.fixture
def state(small_checkpoint: Path) -> State:
    return load_file(small_checkpoint)


def save(state: Any, path: Path) -> str:
    torch.save(state, path)
    return str(path)


def message(spec: str, config: dict[str, Any] | None = None) -> str:
    with pytest.raises(CheckpointError) as caught, open_checkpoint(spec, config or SMALL_CONFIG):
        pass
    return str(caught.value)


def test_formats_agree(state: State, small_checkpoint: Path, tmp_path: Path) -> None:
    prints = []
    for spec in (str(small_checkpoint), save(state, tmp_path / "small.pth")):
        with open_checkpoint(spec, SMALL_CONFIG) as checkpoint:
            prints.append(checkpoint.fingerprint)
            assert set(checkpoint.encoders) == {"vision", "text", "audio", "depth", "thermal", "imu"}
            assert checkpoint.encoders["audio"].depth == SMALL_CONFIG["audio_num_blocks"]
    assert prints[0] == prints[1]


def test_one_changed_number_changes_the_fingerprint(state: State, tmp_path: Path) -> None:
    prints = []
    for change in (0.0, 1e-3):
        state["modality_heads.imu.0.bias"] += change
        with open_checkpoint(save(state, tmp_path / "a.pth"), SMALL_CONFIG) as checkpoint:
            prints.append(checkpoint.fingerprint)
    assert prints[0] != prints[1]


def test_other_heads_are_another_space(small_checkpoint: Path) -> None:
    prints = []
    for heads in (SMALL_CONFIG["imu_num_heads"], 2 * SMALL_CONFIG["imu_num_heads"]):
        config = {**SMALL_CONFIG, "imu_num_heads": heads}
        with open_checkpoint(str(small_checkpoint), config) as checkpoint:
            assert checkpoint.encoders["imu"].heads == heads
            prints.append(checkpoint.fingerprint)
    assert prints[0] != prints[1]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_widened(state: State, tmp_path: Path, dtype: torch.dtype) -> None:
    halves = {k: v.to(dtype) for k, v in state.items()}
    with open_checkpoint(save(halves, tmp_path / "half.pth"), SMALL_CONFIG) as checkpoint:
        parameters = dict(checkpoint.parameters("imu"))
    assert all(p.dtype == torch.float32 for p in parameters.values())
    expected = halves["modality_heads.imu.3.weight"].float().t()
    assert torch.equal(parameters["projection.weight"], expected)


class Payload:
    """A pickle that would create a file when loaded."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, tuple[str, int]]:
        return os.open, (str(self.marker), os.O_CREAT)


def test_pickle_payload_is_refused_and_not_run(state: State, tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    text = message(save({**state, "extra": Payload(marker)}, tmp_path / "evil.pth"))
    assert "could run code" in text
    assert not marker.exists()


def test_bare_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    path = tmp_path / "evil.pth"
    path.write_bytes(pickle.dumps(Payload(marker)))
    assert "pickle" in message(str(path))
    assert not marker.exists()


def test_missing_unexpected_and_misshapen_keys_are_one_error(state: State, tmp_path: Path) -> None:
    del state["modality_heads.text.proj.0.bias"]
    state["modality_heads.imu.3.bias"] = torch.zeros(48)
    state["modality_heads.depth.0.weight"] = torch.zeros(41)
    text = message(save(state, tmp_path / "bad.pth"))
    assert "1 missing, 1 misshapen, 1 unexpected" in text
    assert "missing modality_heads.text.proj.0.bias [32]" in text
    assert "modality_heads.depth.0.weight is [41], expected [40]" in text
    assert "unexpected modality_heads.imu.3.bias [48]" in text


def test_only_the_first_ten_are_listed(state: State, tmp_path: Path) -> None:
    for key in [k for k in state if k.startswith("modality_trunks.vision.blocks.0.")]:
        del state[key]
    text = message(save(state, tmp_path / "bad.pth"))
    assert text.count("missing modality") == 10
    assert "and 2 more" in text


@pytest.mark.parametrize(
    "key", ["modality_preprocessors.vision.cls_token", "modality_preprocessors.text.pos_embed"]
)
def test_a_missing_anchor_is_reported_not_guessed(state: State, tmp_path: Path, key: str) -> None:
    del state[key]
    assert f"missing {key}" in message(save(state, tmp_path / "bad.pth"))


def test_heads_must_be_known(state: State, tmp_path: Path) -> None:
    config = {k: v for k, v in SMALL_CONFIG.items() if k != "depth_num_heads"}
    assert "depth_num_heads" in message(save(state, tmp_path / "a.pth"), config)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"vision_embed_dim": 65}, "the tensors say 64"),
        ({"text_num_blocks": 4}, "the tensors say 3"),
        ({"audio_num_heads": 5}, "does not divide"),
        ({"audio_num_heads": "6"}, "positive integer"),
        ({"audio_num_heads": True}, "positive integer"),
        ({"imu_num_heads": 0}, "positive integer"),
        ({"imu_num_heads": None}, "positive integer"),
        ({"out_embed_dim": None}, "positive integer"),
        ({"visoin_num_heads": 4}, "did you mean vision_num_heads"),
        ({"layers": 4}, "layers is not known"),
    ],
)
def test_config_that_contradicts(small_checkpoint: Path, change: dict[str, Any], words: str) -> None:
    assert words in message(str(small_checkpoint), SMALL_CONFIG | change)


def test_a_tensor_larger_than_its_storage_is_refused(state: State, tmp_path: Path) -> None:
    state["modality_heads.imu.3.weight"] = torch.zeros(1).expand(48, 32)
    assert "not a plain dense tensor" in message(save(state, tmp_path / "bomb.pth"))


def test_nonfinite_weights_are_named(state: State, tmp_path: Path) -> None:
    state["modality_heads.imu.0.bias"][3] = float("nan")
    path = save(state, tmp_path / "nan.pth")
    problem = pytest.raises(CheckpointError, match=r"modality_heads\.imu\.0\.bias.*not finite")
    with open_checkpoint(path, SMALL_CONFIG) as checkpoint, problem:
        list(checkpoint.parameters("imu"))


def test_integer_weights_are_refused(state: State, tmp_path: Path) -> None:
    state["modality_heads.imu.0.bias"] = torch.zeros(32, dtype=torch.int32)
    path = save(state, tmp_path / "int.pth")
    with open_checkpoint(path, SMALL_CONFIG) as checkpoint, pytest.raises(CheckpointError, match="int32"):
        list(checkpoint.parameters("imu"))


def test_another_mask_is_another_model(state: State, tmp_path: Path) -> None:
    state["modality_preprocessors.text.mask"] = torch.zeros(77, 77)
    assert "causal mask" in message(save(state, tmp_path / "mask.pth"))


def test_files_that_are_no_checkpoint(small_checkpoint: Path, tmp_path: Path) -> None:
    whole = small_checkpoint.read_bytes()
    bad = tmp_path / "bad"
    assert "no such file" in message(str(bad))
    for content, words in (
        (b"", "empty"),
        (b"hello, world, this is text", "not a checkpoint"),
        (whole[:100_000], "damaged"),
        ((1 << 60).to_bytes(8, "little") + b"{", "damaged"),
        (b"PK\x03\x04" + b"\0" * 100, "not a checkpoint"),
    ):
        bad.write_bytes(content)
        assert words in message(str(bad))


def test_truncated_pth(state: State, tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    save(state, path)
    path.write_bytes(path.read_bytes()[:-100_000])
    assert str(path) in message(str(path))


def test_a_zip_that_is_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello", "world")
    assert "damaged" in message(str(path))


@pytest.mark.parametrize("content", [[1, 2], {"a": 1}, {}, {1: torch.zeros(1)}])
def test_a_pth_of_something_else(content: Any, tmp_path: Path) -> None:
    assert "it must" in (text := message(save(content, tmp_path / "a.pth"))) or "must be a tensor" in text


def test_unknown_layout(tmp_path: Path) -> None:
    assert "no supported layout" in message(save({"conv.weight": torch.zeros(2)}, tmp_path / "a.pth"))


def test_random_is_the_same_everywhere() -> None:
    with open_checkpoint("random:7", TINY_CONFIG) as checkpoint:
        first = dict(checkpoint.parameters("imu"))["projection.weight"]
        scale = checkpoint.encoders["imu"].scale
    assert first.shape == (16, 16)
    # Made once on x86-64; integers scaled by powers of two and one factor, so exact anywhere.
    np.testing.assert_array_equal(first[0, :3].numpy(), np.array(RANDOM_7, np.float32))
    assert scale == pytest.approx(5.0)


RANDOM_7 = [-0.12468328326940536, 0.20835666358470917, -0.10580926388502121]


def test_random_seeds_differ() -> None:
    prints = set()
    for seed in ("0", "1"):
        with open_checkpoint(f"random:{seed}", TINY_CONFIG) as checkpoint:
            prints.add(checkpoint.fingerprint)
    assert len(prints) == 2


@pytest.mark.parametrize("spec", ["random:", "random:x", "random:-1", "random:1.5", "random:²"])
def test_random_needs_a_number(spec: str) -> None:
    assert "whole number" in message(spec)


def test_huge_layout_is_the_published_one() -> None:
    """Against the published key list, where it is present beside the repository."""
    spec = Path(__file__).resolve().parents[3] / "shared" / "spec" / "keys-imagebind_huge.tsv"
    if not spec.exists():
        pytest.skip("the list of the official checkpoint's keys is not here")
    rows = [line.split("\t") for line in spec.read_text().splitlines()[1:]]
    published = {k: () if s == "scalar" else tuple(int(n) for n in s.split("x")) for k, s, _ in rows}
    assert layout_from_config({}).expected() == published


def test_openclip_vit_h_head_counts() -> None:
    width, text = 1280, 1024
    shapes = {
        "visual.conv1.weight": (width, 3, 14, 14),
        "visual.proj": (width, 1024),
        "visual.transformer.resblocks.0.mlp.c_fc.weight": (4 * width, width),
        "token_embedding.weight": (49408, text),
        "text_projection": (text, 1024),
        "transformer.resblocks.0.mlp.c_fc.weight": (4 * text, text),
    }
    encoders = layout_of("x", shapes, {}).encoders
    assert (encoders["vision"].heads, encoders["text"].heads) == (16, 16)
    assert encoders["vision"].tokens == 257


def test_random_weights_of_a_misspelt_size() -> None:
    assert "visoin_embed_dim is not known" in message("random:0", TINY_CONFIG | {"visoin_embed_dim": 16})


@pytest.mark.parametrize(("width", "config"), [(64, {}), (1280, {"text_cfg": {"heads": 3}})])
def test_openclip_heads_that_are_not_known(width: int, config: dict[str, Any]) -> None:
    shapes = {
        "visual.conv1.weight": (width, 3, 14, 14),
        "visual.proj": (width, 16),
        "visual.transformer.resblocks.0.mlp.c_fc.weight": (16, width),
        "token_embedding.weight": (49408, 1024),
        "text_projection": (1024, 16),
        "transformer.resblocks.0.mlp.c_fc.weight": (16, 1024),
    }
    with pytest.raises(CheckpointError, match=r"heads do not divide.*head_width.*in --config"):
        layout_of("x", shapes, config)


def test_random_weights_with_outliers() -> None:
    """Few channels far larger than the others, most in the class token; gains with a long tail."""
    with (
        open_checkpoint("random:0", TINY_CONFIG) as calm,
        open_checkpoint("random:0,outliers", TINY_CONFIG) as wild,
    ):
        assert calm.fingerprint != wild.fingerprint
        plain, planted = dict(calm.parameters("depth")), dict(wild.parameters("depth"))
        again = dict(wild.parameters("depth"))
    token = planted["stem.class_token"].abs().flatten()
    assert float(token.max()) > 100 * float(token.median())
    (channel,) = torch.nonzero(token > 100).flatten().tolist()
    assert abs(float(planted["blocks.0.mlp.down.bias"][channel])) > 10
    assert float(planted["blocks.0.norm_1.weight"][channel]) < 0.5
    assert float(planted["blocks.0.norm_1.weight"].max()) > 1.2 * float(plain["blocks.0.norm_1.weight"].max())
    assert torch.equal(planted["blocks.0.mlp.up.weight"], plain["blocks.0.mlp.up.weight"])
    assert all(torch.equal(planted[name], again[name]) for name in planted)


@pytest.mark.parametrize("spec", ["random:0,", "random:0,loud", "random:,outliers"])
def test_unknown_kinds_of_random_weights(spec: str) -> None:
    assert spec in message(spec)
