"""The image kernels for GPUs, run on the CPU, against the CPU side on the golden pictures."""

from __future__ import annotations

import ctypes

import numpy as np
import PIL.Image
import pytest

from bindrt import _core
from support import cpp, cudasim
from support.golden import Case, cases


@pytest.fixture(scope="module", autouse=True)
def _can_build(tmp_path_factory: pytest.TempPathFactory) -> None:
    if reason := cpp.missing("", tmp_path_factory.mktemp("probe")):
        pytest.skip(reason)


@pytest.mark.parametrize("case", cases("image"))
def test_golden(case: Case) -> None:
    with PIL.Image.open(case.path) as picture:
        rgb = np.ascontiguousarray(np.asarray(picture.convert("RGB")))
    out = np.empty((3, 224, 224), np.float32)
    height, width = rgb.shape[:2]
    cudasim.call(
        "cudasim_image_input",
        ctypes.c_void_p(rgb.ctypes.data),
        height,
        width,
        ctypes.c_void_p(out.ctypes.data),
    )
    np.testing.assert_array_equal(out, _core.image_input(rgb))
