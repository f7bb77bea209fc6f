"""The numbers that the kernels compute with are those that bundles record and spaces are hashed from."""

from __future__ import annotations

import json

from bindrt import _core
from bindrt.preprocess import constants


def test_constants_are_those_of_preprocessing() -> None:
    picture = {
        "side": constants.SIDE,
        "mean": list(constants.IMAGE_MEAN),
        "std": list(constants.IMAGE_STD),
    }
    expected = {
        "image": picture,
        "video": picture | {"crops": constants.VIDEO_CROPS},
        "mel": {
            "rate": constants.AUDIO_RATE,
            "bands": constants.MEL_BANDS,
            "frames": constants.MEL_FRAMES,
            "window": constants.MEL_WINDOW,
            "hop": constants.MEL_HOP,
            "fft": constants.MEL_FFT,
            "low": constants.MEL_LOW,
            "high": constants.MEL_HIGH,
            "preemphasis": constants.MEL_PREEMPHASIS,
            "floor": constants.MEL_FLOOR,
            "mean": constants.MEL_MEAN,
            "std": constants.MEL_STD,
        },
        "resample": {"width": constants.RESAMPLE_WIDTH, "rolloff": constants.RESAMPLE_ROLLOFF},
        "depth": {
            "side": constants.SIDE,
            "scale": constants.DEPTH_SCALE,
            "focal": constants.DEPTH_FOCAL,
            "baseline": constants.DEPTH_BASELINE,
            "nearest": constants.DEPTH_NEAREST,
            "farthest": constants.DEPTH_FARTHEST,
            "disparity_min": constants.DISPARITY_MIN,
            "disparity_max": constants.DISPARITY_MAX,
            "mean": constants.DISPARITY_MEAN,
            "std": constants.DISPARITY_STD,
        },
        "thermal": {"side": constants.SIDE},
        "imu": {"rate": constants.IMU_RATE, "steps": constants.IMU_STEPS},
    }
    # As text: the space is hashed from it, and 400 is not 400.0 there.
    assert json.dumps(_core.constants()) == json.dumps(expected)


def test_constants_are_a_fresh_copy() -> None:
    _core.constants()["image"]["side"] = 0
    assert _core.constants()["image"]["side"] == constants.SIDE
