"""Audio against the original's log-mel spectra and resampled waveforms."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
import soundfile

from bindrt import Audio, _core, preprocess
from bindrt.modalities.steps.clips import clip_times
from bindrt.modalities.steps.resample import Resampler
from support.golden import HERE, Case, cases
from support.reference_audio import assert_mel_close

MANIFEST = json.loads((HERE / "manifest.json").read_text())["audio"]


@pytest.mark.parametrize("case", cases("audio"))
def test_file(case: Case) -> None:
    out = preprocess.audio(case.path)
    assert out.shape == (3, 1, 128, 204)
    assert out.dtype == np.float32
    assert_mel_close(case.sampled(out), case.reference("mel" if case.is_whole else "values"))


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
    out = _core.resample(wave[:, 0], rate, 16000, stop=len(expected) * step)
    np.testing.assert_allclose(out[::step], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", MANIFEST)
def test_clip_times(name: str) -> None:
    entry = MANIFEST[name]
    times = clip_times(entry["resampled_samples"] / 16000, 3, 2.0)
    assert [[float(s), float(e)] for s, e in times] == entry["clips_sec"]
