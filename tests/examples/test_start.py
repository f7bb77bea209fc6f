"""What training sees: stems that start from the data, positions that differ, patches that stand out."""

from __future__ import annotations

import pytest
import torch

from tiny import fast
from tiny.model import new_encoder
from tiny.start import leading, start_stem, waves


def flat_maps() -> torch.Tensor:
    """Like thermal frames: a high level, little contrast, strokes that differ."""
    torch.manual_seed(1)
    smooth = torch.nn.functional.interpolate(torch.randn(40, 1, 28, 28), scale_factor=8, mode="bilinear")
    return 0.4 + 0.05 * smooth


def test_directions_have_unit_mean_square() -> None:
    patches = torch.randn(3000, 20, dtype=torch.float64) * torch.linspace(1, 9, 20) + 5
    seen = patches @ leading(patches, 8).T
    assert torch.allclose(seen.square().mean(dim=0), torch.ones(8, dtype=torch.float64), atol=0.05)
    assert leading(patches, 30).shape == (30, 20)


def test_a_started_stem_tells_patches_of_little_contrast_apart() -> None:
    maps, encoder = flat_maps(), new_encoder("thermal")

    def contrast() -> float:
        """The variation of the tokens relative to their size."""
        patches, _ = fast.patches_of(encoder, maps, 1.0)
        tokens = patches @ encoder.stem.patch.weight.flatten(1).t()  # type: ignore[operator, union-attr]
        return float(tokens.std(dim=(0, 1)).norm() / tokens.square().mean(dim=(0, 1)).sqrt().norm())

    with torch.no_grad():
        before = contrast()
        start_stem(encoder, maps)
        assert contrast() > 0.8 > 3 * before


def test_moving_and_still_pixels_are_seen() -> None:
    encoder = new_encoder("vision")
    torch.manual_seed(2)
    video = torch.randint(0, 255, (8, 3, 2, 224, 224), dtype=torch.uint8)
    start_stem(encoder, video)
    weight = encoder.stem.patch.weight.detach()  # type: ignore[union-attr]
    first, last = weight[:, :, 0].flatten(1), weight[:, :, 1].flatten(1)
    still, moving = (first - last).norm(dim=1) < 1e-5, (first + last).norm(dim=1) < 1e-5
    assert int(still.sum()) == 64
    assert int(moving.sum()) == 32


@pytest.mark.parametrize("name", ["vision", "audio", "depth", "imu"])
def test_each_place_has_its_own_waves(name: str) -> None:
    table = waves(new_encoder(name))
    assert table.shape == (new_encoder(name).config.tokens - 1, new_encoder(name).config.width)
    near = torch.cdist(table, table) + 1e9 * torch.eye(len(table))
    assert near.min() > 0.05


def test_an_object_is_seen_whole() -> None:
    """On a floor that gets brighter downwards, with specks, an object's patches are all looked at."""
    torch.manual_seed(5)
    maps = torch.linspace(0, 3, 224).reshape(1, 1, 224, 1).repeat(2, 1, 1, 224)
    maps = maps + 0.1 * torch.randn(maps.shape)
    maps[0, :, 32:80, 48:112] += 1.0  # patches of rows 2-4, columns 3-6
    maps[1, :, 96:128, 160:192] -= 1.0
    kept = fast.standing_out(maps, (14, 14), 0.3)
    assert kept.shape == (2, 58)
    assert {r * 14 + c for r in (2, 3, 4) for c in (3, 4, 5, 6)} <= set(kept[0].tolist())
    assert {r * 14 + c for r in (6, 7) for c in (10, 11)} <= set(kept[1].tolist())
    assert all(len(set(row)) == 58 for row in kept.tolist())
