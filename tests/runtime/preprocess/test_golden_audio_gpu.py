"""The CUDA kernels of audio, on the simulator: against the original's spectra, and the CPU side."""

from __future__ import annotations

import ctypes
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from bindrt import preprocess
from bindrt.modalities.steps.clips import clip_samples
from support import cpp, cudasim
from support.golden import Case, cases
from support.reference_audio import assert_mel_close


@pytest.fixture(scope="module", autouse=True)
def _can_build(tmp_path_factory: pytest.TempPathFactory) -> None:
    if reason := cpp.missing("address,undefined", tmp_path_factory.mktemp("probe")):
        pytest.skip(reason)


def on_gpu(path: Path, half: bool = False) -> np.ndarray:
    """The encoder's input of a 16-bit sound file, by the CUDA kernels."""
    wave, rate = soundfile.read(path, dtype="int16", always_2d=True)
    ratio = Fraction(rate, 16000)
    total = math.ceil(len(wave) / ratio)
    parts = clip_samples(total, 16000, 3, 2.0)
    ranges = np.array([(r.start, r.stop) for r in parts], np.int64)
    out = np.empty((3, 1, 128, 204), np.float16 if half else np.float32)
    arguments: list[Any] = [wave.ctypes, len(wave), wave.shape[1], *ratio.as_integer_ratio(), total]
    arguments += [ranges.ctypes, 3, int(half), out.ctypes]
    kinds = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int32, *[ctypes.c_int64] * 3]
    kinds += [ctypes.c_void_p, ctypes.c_int32, ctypes.c_int32, ctypes.c_void_p]
    passed = [
        kind(value.data if kind is ctypes.c_void_p else value)
        for kind, value in zip(kinds, arguments, strict=True)
    ]
    cudasim.call("cudasim_audio", *passed)
    return out


FILES = [case for case in cases("audio") if soundfile.info(case.values[0].path).subtype == "PCM_16"]


@pytest.mark.parametrize("case", FILES)
def test_as_the_original(case: Case) -> None:
    out = on_gpu(case.path)
    assert_mel_close(case.sampled(out), case.reference("mel" if case.is_whole else "values"))
    on_cpu = preprocess.audio(case.path)
    assert np.quantile(np.abs(out - on_cpu), 0.99) <= 1e-6
    np.testing.assert_allclose(out, on_cpu, rtol=0, atol=1e-3)


def test_float16() -> None:
    path = FILES[0].values[0].path
    np.testing.assert_array_equal(on_gpu(path, half=True), on_gpu(path).astype(np.float16))
