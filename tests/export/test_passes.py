"""Every pass alone and all together against the plain model: the same vectors up to rounding."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from bindrt.modalities import encoder_names
from bindrt_export import passes
from bindrt_export.architecture import Encoder, EncoderConfig
from bindrt_export.checkpoints import Checkpoint, open_checkpoint
from bindrt_export.passes import (
    PASSES,
    folded_norms,
    pooled_row,
    rewritten,
    rewritten_parameters,
    stem_product,
)
from bindrt_export.verification.probes import probe_inputs
from bindrt_export.verification.reference import run_reference
from support.bundles import SMALL_CONFIG

#: The most by which unit vectors may differ; float32 sums in another order.
BOUND = 1e-6
SETS = {"all": PASSES} | {each.__name__.rpartition(".")[2]: (each,) for each in PASSES}


@pytest.fixture(scope="module")
def checkpoint(small_checkpoint: Path) -> Iterator[Checkpoint]:
    with open_checkpoint(str(small_checkpoint), SMALL_CONFIG) as opened:
        yield opened


def plain(checkpoint: Checkpoint, name: str) -> Encoder:
    encoder = Encoder(checkpoint.encoders[name])
    encoder.load_state_dict(dict(checkpoint.parameters(name)), strict=True)
    return encoder.eval()


def after_passes(checkpoint: Checkpoint, name: str) -> Encoder:
    config = checkpoint.encoders[name]
    encoder = rewritten(config)
    encoder.load_state_dict(
        dict(rewritten_parameters(config, checkpoint.parameters(name))), strict=True, assign=True
    )
    return encoder.eval()


def inputs(config: EncoderConfig) -> dict[str, Tensor]:
    return {k: torch.from_numpy(v) for k, v in probe_inputs(config.name, config.view).items()}


@pytest.mark.parametrize("chosen", SETS)
@pytest.mark.parametrize("name", encoder_names())
def test_same_vectors(
    checkpoint: Checkpoint, name: str, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passes, "PASSES", SETS[chosen])
    expected, actual = plain(checkpoint, name), after_passes(checkpoint, name)
    with torch.inference_mode():
        for probe, x in inputs(expected.config).items():
            a, b = expected(x), actual(x)
            assert float((a - b).abs().max() / a.norm()) <= BOUND, probe


def test_rows_of_a_text_batch_are_pooled_at_their_own_ends(checkpoint: Checkpoint) -> None:
    expected, actual = plain(checkpoint, "text"), after_passes(checkpoint, "text")
    ids = torch.zeros(3, 20, dtype=torch.int64)
    ids[:, 0] = 49406
    for row, end in enumerate((1, 7, 19)):
        ids[row, 1:end] = torch.arange(5, 4 + end)
        ids[row, end] = 49407
    with torch.inference_mode():
        torch.testing.assert_close(actual(ids), expected(ids), rtol=0, atol=1e-4)  # of length 100


def test_passes_change_what_they_say(checkpoint: Checkpoint) -> None:
    """That the comparison above compares two things, and not one with itself."""
    config = checkpoint.encoders["depth"]
    before = dict(checkpoint.parameters("depth"))
    after = dict(rewritten_parameters(config, checkpoint.parameters("depth")))
    assert "stem.patch.weight" in before
    assert "stem.patch.product.weight" in after
    assert torch.equal(after["blocks.0.norm_1.weight"], torch.ones(config.width))
    assert "blocks.0.norm_1.bias" not in after
    last = f"blocks.{config.depth - 1}.attention"
    assert after[f"{last}.key_value.weight"].shape == (config.width, 2 * config.width)
    assert f"{last}.qkv.weight" not in after


def test_overlapping_patches_stay_a_convolution(checkpoint: Checkpoint) -> None:
    assert not stem_product.applies(checkpoint.encoders["audio"])
    assert all(stem_product.applies(checkpoint.encoders[e]) for e in ("vision", "depth", "thermal"))


def test_norms_whose_output_goes_on_as_it_is_are_left_alone() -> None:
    assert folded_norms.linear_after("stem.norm") is None
    assert folded_norms.linear_after("pre_norm") is None
    assert folded_norms.linear_after("norm") == "projection"


def test_a_pooled_encoder_has_no_trunk_of_all_tokens(checkpoint: Checkpoint) -> None:
    encoder = rewritten(checkpoint.encoders["imu"])
    assert isinstance(encoder, pooled_row.PooledEncoder)
    with pytest.raises(NotImplementedError):
        encoder.trunk(torch.zeros(1, 1, 1))


@pytest.mark.parametrize("name", encoder_names())
def test_reference_is_the_plain_model(checkpoint: Checkpoint, name: str) -> None:
    """The one-block-at-a-time run that graphs are compared with; also when the stream has another order."""
    encoder = plain(checkpoint, name)
    config = encoder.config
    arrays = probe_inputs(name, config.view)
    stream = list(checkpoint.parameters(name))
    for order in (stream, stream[::-1]):
        found = run_reference(config, order, arrays)
        assert list(found) == list(arrays)
        with torch.inference_mode():
            for probe, array in arrays.items():
                np.testing.assert_array_equal(found[probe], encoder(torch.from_numpy(array)).numpy())
