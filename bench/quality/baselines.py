"""Plain features to beat: pixels, mel statistics, motion statistics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from bindrt import preprocess

NAMES = {
    "image": "28 × 28 pixels",
    "video": "28 × 28 pixels of the first and the last frame",
    "audio": "mean and deviation of each mel band",
    "depth": "28 × 28 pixels",
    "thermal": "28 × 28 pixels",
    "imu": "mean, deviation and 24 spectrum bands of each channel",
}


def features(modality: str, paths: list[Path]) -> npt.NDArray[np.float64]:
    """Float64 ``[N, F]``: ``F`` plain numbers for each file."""
    return np.array([_features(modality, path) for path in paths], np.float64)


def _features(modality: str, path: Path) -> npt.NDArray[np.floating]:
    if modality == "audio":
        mel = preprocess.audio(path).mean(axis=0)[0]
        return np.concatenate([mel.mean(axis=1), mel.std(axis=1)])
    if modality == "imu":
        samples = preprocess.imu(path)  # type: ignore[arg-type]
        spectrum = np.abs(np.fft.rfft(samples - samples.mean(axis=1, keepdims=True), axis=1))[:, :960]
        bands = np.log1p(spectrum.reshape(6, 24, -1).mean(axis=2))
        return np.concatenate([samples.mean(axis=1), samples.std(axis=1), bands.ravel()])
    view = preprocess.video(path)[7] if modality == "video" else getattr(preprocess, modality)(path)
    return np.asarray(view).reshape(-1, 28, 8, 28, 8).mean(axis=(2, 4)).ravel()
