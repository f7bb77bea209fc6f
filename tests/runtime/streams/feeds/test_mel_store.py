"""``_core.MelStore``: what it refuses. What it computes is tested with the windows of a feed, and in C++."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bindrt._core import MelPlan, MelStore

WAVE = np.random.default_rng(0).normal(0, 0.1, (1, 48000)).astype(np.float32)
PLAN = MelPlan(0, 50, [(2, 50)], [(0, 2)])


def filled(store: MelStore, **changed: Any) -> np.ndarray[Any, Any]:
    out = np.zeros((128, 204), np.float32)
    given = {"signal": WAVE, "begin": 0, "part": (0, 30000), "frame": 0, "plan": PLAN, "steps": (), **changed}
    store.fill(out, **given)
    return out


def test_int16_is_taken_as_it_is() -> None:
    whole = (WAVE * 32768).astype(np.int16)
    expected = filled(MelStore(48000, 16000, 0, 0.0, 1.0), signal=whole.astype(np.float32) / 32768)
    np.testing.assert_array_equal(filled(MelStore(3, 1, 0, 0.0, 1.0), signal=whole), expected)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"part": (0, 48001)}, "not a part of the signal"),
        ({"part": (5, 4)}, "not a part of the signal"),
        ({"part": (9, 30000), "begin": 10}, "not a part of the signal"),
        ({"begin": -1, "part": (-1, 9)}, "begin is -1"),
        ({"signal": WAVE.astype(np.float64)}, "float32, int16 or int32"),
        ({"signal": WAVE[None]}, "shape"),
        ({"signal": None}, "samples"),
        ({"signal": [0.0]}, "samples"),
        ({"signal": WAVE * np.float32(np.nan)}, "NaN"),
        ({"steps": [(1, 0.5)] * 3}, "at most 2 steps"),
        ({"frame": -3}, "not kept any more"),
        ({"frame": 1 << 40}, "not kept any more"),
    ],
)
def test_what_it_refuses(changed: dict[str, Any], message: str) -> None:
    store = MelStore(48000, 16000, 0, 0.0, 1.0)
    with pytest.raises(ValueError, match=message):
        filled(store, **changed)
    filled(store)  # it goes on


def test_frames_that_are_forgotten() -> None:
    store = MelStore(48000, 16000, 0, 0.0, 1.0)
    filled(store)
    store.start_at(5)
    with pytest.raises(ValueError, match="not kept any more"):
        filled(store)


def test_outputs_and_plans_that_cannot_be() -> None:
    store = MelStore(48000, 16000, 0, 0.0, 1.0)
    with pytest.raises(ValueError, match="shape"):
        store.fill(np.zeros((128, 205), np.float32), WAVE, 0, (0, 30000), 0, PLAN)
    for ranges in [(0, 51)], [(-1, 3)], [(4, 4)]:
        with pytest.raises(ValueError, match="clip's 50"):
            MelPlan(0, 50, ranges, [])
    with pytest.raises(ValueError, match="at most 204"):
        MelPlan(0, 205, [], [])
    with pytest.raises(ValueError, match="phase is 160"):
        MelStore(48000, 16000, 160, 0.0, 1.0)
    with pytest.raises(ValueError, match="positive"):
        MelStore(0, 16000, 0, 0.0, 1.0)
