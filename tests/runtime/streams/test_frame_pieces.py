"""Frames like the one before them are looked at less; others are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bindrt import InputError
from bindrt.streams.feeds import PictureFeed
from bindrt.streams.pieces import FramePieces

GOOD = np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3)


@pytest.mark.parametrize(
    ("frame", "time"),
    [(GOOD[:, :, 0], 0.2), (GOOD.astype(np.float32), 0.2), (GOOD, float("nan")), (GOOD, "now")],
)
def test_a_bad_frame_after_good_ones_is_an_error(frame: np.ndarray, time: Any) -> None:
    pieces = FramePieces(PictureFeed("image"), None, 0.0, 1.0)
    for at in (0.0, 0.1):
        pieces.piece(GOOD, at, 0.0)
    with pytest.raises(InputError):
        pieces.piece(frame, time, 0.0)
    assert pieces.piece(GOOD, 0.3, 0.0).seconds == pytest.approx(0.2)


def test_a_frame_like_the_one_before_is_copied() -> None:
    pieces = FramePieces(PictureFeed("image"), None, 0.0, 1.0)
    frame = GOOD.copy()
    first = pieces.piece(frame, 0.0, 0.0)
    second = pieces.piece(frame[:, ::-1], 0.1, 0.0)
    frame[...] = 0
    np.testing.assert_array_equal(first.data, GOOD)
    np.testing.assert_array_equal(second.data, GOOD[:, ::-1])
    assert (second.time, second.newest, second.bytes) == (0.1, 0.1, GOOD.nbytes)
