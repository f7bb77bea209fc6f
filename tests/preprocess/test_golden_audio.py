"""Audio against the original's log-mel spectra and resampled waveforms."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
import soundfile

from bindrt import Audio, preprocess
from bindrt.preprocess.clips import clip_times
from bindrt.preprocess.resample import Resampler
from support.golden import HERE, Case, cases

MANIFEST = json.loads((HERE / "manifest.json").read_text())["audio"]


def assert_close(actual: np.ndarray, expected: np.ndarray) -> None:
    """The tolerances of the reference data: bands with almost no energy carry its own noise."""
    error = np.abs(actual.astype(np.float64) - expected)
    assert error.mean() <= 1e-4
    assert np.quantile(error, 0.99) <= 1e-3
    assert error.max() <= 5e-2


@pytest.mark.parametrize("case", cases("audio"))
def test_file(case: Case) -> None:
    out = preprocess.audio(case.path)
    assert out.shape == (3, 1, 128, 204)
    assert out.dtype == np.float32
    assert_close(case.sampled(out), case.reference("mel" if case.is_whole else "values"))


@pytest.mark.parametrize("case", cases("audio"))
def test_waveform_agrees_with_the_file(case: Case) -> None:
    wave, rate = soundfile.read(case.path, dtype="float32", always_2d=True)
    expected = preprocess.audio(case.path)
    np.testing.assert_array_equal(preprocess.audio(Audio(wave.T, rate=rate)), expected)
    np.testing.assert_array_equal(preprocess.audio(case.path.read_bytes()), expected)


@pytest.mark.parametrize("case", cases("audio"))
def test_resampled(case: Case) -> None:
    wave, rate = soundfile.read(case.path, dtype="float32", always_2d=True)
    resampler = Resampler.of(Fraction(rate), 16000)
    assert resampler.length(len(wave)) == case.entry["resampled_samples"]
    expected = case.reference("resampled")
    step = 1 if case.is_whole else 8
    wanted = range(len(expected) * step)
    need = resampler.needed(wanted)
    padded = np.pad(wave[:, 0], (max(-need.start, 0), max(need.stop - len(wave), 0)))
    padded = padded[max(need.start, 0) :][: len(need)]
    np.testing.assert_allclose(resampler.run(padded, wanted)[::step], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", MANIFEST)
def test_clip_times(name: str) -> None:
    entry = MANIFEST[name]
    times = clip_times(entry["resampled_samples"] / 16000, 3, 2.0)
    assert [[float(s), float(e)] for s, e in times] == entry["clips_sec"]
