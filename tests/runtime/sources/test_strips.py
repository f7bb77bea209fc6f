"""Large pictures, which are copied some rows at a time."""

from __future__ import annotations

import numpy as np
import PIL.Image
import pytest

from bindrt import SourceError, preprocess
from bindrt.sources.strips import as_array
from support.media import picture, picture_bytes

LARGE = picture(1500, 1601)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "I;16", "F"])
@pytest.mark.parametrize("size", [(1, 1), (61, 47), (1500, 1601), (2_000_001, 2)])
def test_the_same_as_numpy_makes_it(mode: str, size: tuple[int, int]) -> None:
    random = np.random.default_rng(0).integers(0, 256, (size[1], size[0]), np.uint8)
    image = PIL.Image.fromarray(random).convert(mode)
    np.testing.assert_array_equal(as_array(image), np.asarray(image))


def test_large_pictures() -> None:
    np.testing.assert_array_equal(
        preprocess.image(picture_bytes("PNG", LARGE, compress_level=1)), preprocess.image(LARGE)
    )
    grey = np.dstack([LARGE[..., 0]] * 3)
    np.testing.assert_array_equal(
        preprocess.thermal(picture_bytes("PNG", grey, compress_level=1)), preprocess.thermal(LARGE[..., 0])
    )


def test_colours_in_the_last_row_of_a_large_map() -> None:
    grey = np.dstack([LARGE[..., 0]] * 3)
    grey[-1, -1] = (0, 0, 200)
    with pytest.raises(SourceError, match="colours"):
        preprocess.thermal(picture_bytes("PNG", grey, compress_level=1))
