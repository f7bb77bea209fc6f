"""soxr and kaldi-native-fbank."""

from __future__ import annotations

from typing import Any

import kaldi_native_fbank as knf
import numpy as np
import soxr

from bench.kernels.alternative import Call, alternative

PACKAGES = ("soxr", "kaldi-native-fbank", "numpy")


def soxr_with(quality: str) -> Any:
    def make(wave: str, threads: int) -> Call:
        samples = np.load(wave)
        return lambda: soxr.resample(samples, 44100, 16000, quality=quality)

    return make


NOTE = "another low-pass filter"
alternative("resample", "soxr HQ", same_work=False, note=NOTE + ", its default")(soxr_with("HQ"))
alternative("resample", "soxr LQ", same_work=False, note=NOTE + ", like the original's")(soxr_with("LQ"))


@alternative(
    "mel",
    "kaldi-native-fbank, 80 bands",
    same_work=False,
    note="80 bands (it refuses 128), frame by frame",
)
def mel(clip: str, threads: int) -> Call:
    samples = np.load(clip)
    options = knf.FbankOptions()
    options.frame_opts.dither = 0.0
    options.frame_opts.window_type = "hanning"
    options.mel_opts.num_bins = 80

    def run() -> Any:
        computer = knf.OnlineFbank(options)
        computer.accept_waveform(16000, samples)
        computer.input_finished()
        return np.stack([computer.get_frame(i) for i in range(computer.num_frames_ready)], axis=1)

    return run
