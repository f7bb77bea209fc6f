"""Images against the original's pixels."""

from __future__ import annotations

import numpy as np
import PIL.Image
import pytest

from bindrt import Image, preprocess
from support.golden import Case, cases, pixels


@pytest.mark.parametrize("case", cases("image"))
def test_file_is_exact(case: Case) -> None:
    out = preprocess.image(case.path)
    assert out.shape == (3, 224, 224)
    assert out.dtype == np.float32
    np.testing.assert_array_equal(case.sampled(pixels(out)), case.reference())


@pytest.mark.parametrize("case", cases("image"))
def test_bytes_and_file_objects_agree_with_paths(case: Case) -> None:
    expected = preprocess.image(case.path)
    np.testing.assert_array_equal(preprocess.image(case.path.read_bytes()), expected)
    with case.path.open("rb") as file:
        file.seek(7)
        np.testing.assert_array_equal(preprocess.image(file), expected)


@pytest.mark.parametrize("case", cases("image"))
def test_decoded_pixels_agree_with_the_file(case: Case) -> None:
    with PIL.Image.open(case.path) as picture:
        rgb = np.asarray(picture.convert("RGB"))
    expected = preprocess.image(case.path)
    np.testing.assert_array_equal(preprocess.image(rgb), expected)
    np.testing.assert_array_equal(preprocess.image(Image(rgb[:, :, ::-1], layout="BGR")), expected)
