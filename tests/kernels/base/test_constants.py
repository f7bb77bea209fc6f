"""The numbers that the kernels compute with are those that bundles record and spaces are hashed from."""

from __future__ import annotations

import json
import subprocess
import sys

from bindrt import _core, load
from bindrt.modalities import MODALITIES

PICTURE = {
    "side": 224,
    "mean": [0.48145466, 0.4578275, 0.40821073],
    "std": [0.26862954, 0.26130258, 0.27577711],
}
EXPECTED = {
    "image": PICTURE,
    "video": PICTURE | {"crops": 3},
    "mel": {
        "rate": 16000,
        "bands": 128,
        "frames": 204,
        "window": 400,
        "hop": 160,
        "fft": 512,
        "low": 20.0,
        "high": 8000.0,
        "preemphasis": 0.97,
        "floor": 2.0**-23,
        "mean": -4.268,
        "std": 9.138,
    },
    "resample": {"width": 6, "rolloff": 0.99},
    "depth": {
        "side": 224,
        "scale": 8.0,
        "focal": 518.8579,
        "baseline": 0.075,
        "nearest": 0.01,
        "farthest": 50.0,
        "disparity_min": 0.01,
        "disparity_max": 75.0,
        "mean": 0.0418,
        "std": 0.0295,
    },
    "thermal": {"side": 224},
    "imu": {"rate": 400.0, "steps": 2000},
}

# Another number in C++, planted before the modalities are declared; prints the error of `load`.
PLANT = """
import sys
import bindrt
from bindrt import _core
op, name = sys.argv[1:]
changed = _core.constants()
changed[op][name] = changed[op][name][::-1] if isinstance(changed[op][name], list) else changed[op][name] + 1
_core.constants = lambda: changed
for module in [m for m in sys.modules if m.startswith("bindrt.") and "_core" not in m]:
    del sys.modules[module]
from bindrt.loading import load
try:
    load("tiny")
except Exception as error:
    print(type(error).__name__, error)
"""


def test_constants_are_the_originals() -> None:
    # As text: the space is hashed from it, and 400 is not 400.0 there.
    assert json.dumps(_core.constants()) == json.dumps(EXPECTED)


def test_constants_are_a_fresh_copy() -> None:
    _core.constants()["image"]["side"] = 0
    assert _core.constants() == EXPECTED


def test_every_number_of_the_kernels_is_in_a_description() -> None:
    names = {"resample": "audio", "mel": "audio"}
    for op, numbers in _core.constants().items():
        values = list(MODALITIES[names.get(op, op)].description.values())
        assert all(value in values for value in numbers.values()), op


def test_a_planted_number_is_another_space() -> None:
    """A bundle that was exported with one number does not load where a kernel computes with another."""
    assert load("tiny").space
    planted = (
        ("image", "std"),
        ("video", "crops"),
        ("mel", "hop"),
        ("resample", "width"),
        ("depth", "farthest"),
    )
    for op, name in (*planted, ("thermal", "side"), ("imu", "rate")):
        done = subprocess.run(
            [sys.executable, "-c", PLANT, op, name], capture_output=True, text=True, timeout=120, check=True
        )
        assert "BundleError" in done.stdout, (op, name, done.stdout, done.stderr)
        assert "exported with other preprocessing" in done.stdout, (op, name)
