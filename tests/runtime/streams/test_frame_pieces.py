"""Frames like the one before them are looked at less; others are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bindrt import InputError
from bindrt.streams.arrivals import Piece
from bindrt.streams.feeds import PictureFeed
from bindrt.streams.pieces import FramePieces

GOOD = np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3)


def push(pieces: FramePieces, frame: np.ndarray, time: Any) -> bool:
    """As a stream does; whether the inbox took it by itself."""
    if pieces.inbox.push(frame, time):
        return True
    piece = pieces.piece(frame, time, 0.0)
    pieces.inbox.put(piece, piece.bytes, piece.seconds)
    return False


def taken(pieces: FramePieces) -> Piece:
    piece = pieces.take()
    assert piece is not None
    return piece


@pytest.mark.parametrize(
    ("frame", "time"),
    [(GOOD[:, :, 0], 0.2), (GOOD.astype(np.float32), 0.2), (GOOD, float("nan")), (GOOD, "now")],
)
def test_a_bad_frame_after_good_ones_is_an_error(frame: np.ndarray, time: Any) -> None:
    pieces = FramePieces(PictureFeed("image"), None, 0.0, 1.0)
    assert [push(pieces, GOOD, at) for at in (0.0, 0.1)] == [False, True]
    with pytest.raises(InputError):
        push(pieces, frame, time)
    assert push(pieces, GOOD, 0.3)
    assert pieces.inbox.seconds == pytest.approx(0.3)


def test_a_frame_like_the_one_before_is_copied() -> None:
    pieces = FramePieces(PictureFeed("image"), None, 0.0, 1.0)
    frame = GOOD.copy()
    part = np.concatenate([frame] * 2, axis=1)[:, 3:67]  # of a larger frame
    shown = [frame, frame, frame[::-1], part, frame[:, ::-1], frame[::2]]
    expected = [each.copy() for each in shown]
    by_itself = [push(pieces, each, 0.5 * i) for i, each in enumerate(shown)]
    assert by_itself == [False, True, True, True, False, False]
    frame[...] = 0
    part[...] = 0
    for i, each in enumerate(expected):
        found = taken(pieces)
        np.testing.assert_array_equal(found.data, each)
        assert (found.time, found.newest, found.bytes) == (0.5 * i, 0.5 * i, each.nbytes)


def test_memory_of_frames_is_used_again() -> None:
    pieces = FramePieces(PictureFeed("image"), None, 0.0, 1.0)
    push(pieces, GOOD, 0.0)
    first = taken(pieces)
    places = set()
    for i in range(20):
        assert push(pieces, GOOD, 0.1 + i)
        piece = taken(pieces)
        np.testing.assert_array_equal(piece.data, GOOD)
        places.add(piece.data.ctypes.data)
        del piece
    assert len(places) == 1
    np.testing.assert_array_equal(first.data, GOOD)


def test_a_frame_in_bytes_is_not_copied() -> None:
    pieces = FramePieces(PictureFeed("image"), None, 0.0, 1.0)
    push(pieces, GOOD, 0.0)
    taken(pieces)
    fixed = np.frombuffer(GOOD.tobytes(), np.uint8).reshape(GOOD.shape)
    assert push(pieces, fixed, 0.1)
    assert np.shares_memory(taken(pieces).data, fixed)


def test_of_frames_that_are_windows_the_newest_waits() -> None:
    pieces = FramePieces(PictureFeed("image"), None, 0.0, 1.0, "newest")
    for i in range(5):
        push(pieces, GOOD, float(i))
    assert (len(pieces.inbox), pieces.inbox.pushed, pieces.inbox.dropped) == (1, 5, 4)
    assert taken(pieces).time == 4.0


def test_frames_without_times_come_at_their_rate() -> None:
    pieces = FramePieces(PictureFeed("image", fps=10), 10, 0.0, 1.0)
    assert [push(pieces, GOOD, None) for _ in range(3)] == [False, True, True]
    assert pieces.inbox.seconds == pytest.approx(0.3)
    assert taken(pieces).time is None
