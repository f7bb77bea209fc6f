"""Thermal frames against the reference of our definition."""

from __future__ import annotations

import numpy as np
import PIL.Image
import pytest

from bindrt import preprocess
from support.golden import Case, cases


@pytest.mark.parametrize("case", cases("thermal"))
def test_file_is_exact(case: Case) -> None:
    out = preprocess.thermal(case.path)
    assert out.shape == (1, 224, 224)
    assert out.dtype == np.float32
    np.testing.assert_array_equal(np.rint(case.sampled(out[0]) * 255), case.reference())


@pytest.mark.parametrize("case", cases("thermal"))
def test_the_whole_range_in_16_bits_agrees(case: Case) -> None:
    counts = np.asarray(PIL.Image.open(case.path)).astype(np.uint16) * 257
    error = np.abs(preprocess.thermal(counts, low=0, high=65535) - preprocess.thermal(case.path))
    # 8-bit resizing also clips between its two passes, which shows at a few hard edges.
    assert np.quantile(error, 0.999) <= 1.5 / 255
    assert error.max() <= 8 / 255
