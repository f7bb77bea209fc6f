"""Frames in the order of their times: which wait, for how long, and what comes out."""

from __future__ import annotations

import numpy as np

from bindrt.streams.feeds.frame_order import FrameOrder

FRAME = np.zeros((1, 1, 3), np.uint8)


def given_out(order: FrameOrder, *times: float) -> list[list[float]]:
    """What comes out after each frame."""
    return [[time for time, _ in order.take(each, FRAME)] for each in times]


def test_an_early_frame_waits_for_the_one_before() -> None:
    order = FrameOrder(0.3, 10.0)
    assert given_out(order, 0.0, 0.1, 0.2, 0.3) == [[], [], [], [0.0, 0.1, 0.2, 0.3]]  # perhaps not the first
    assert given_out(order, 0.5, 0.4, 0.6) == [[], [0.4, 0.5], [0.6]]


def test_it_waits_no_longer_than_the_bound() -> None:
    order = FrameOrder(0.3, 10.0)
    given_out(order, 0.0, 0.1, 0.2, 0.3)
    assert given_out(order, 1.0, 1.1, 1.2, 1.3, 1.4) == [[], [], [], [1.0, 1.1, 1.2, 1.3], [1.4]]


def test_a_late_frame_comes_at_once_and_changes_nothing() -> None:
    order = FrameOrder(0.3, 10.0)
    given_out(order, 0.0, 0.1, 0.2, 0.3)
    assert not order.is_out_of_order(0.2)
    assert given_out(order, 0.2, 0.3, 0.4) == [[0.2], [0.3], [0.4]]


def test_the_period_is_found_from_the_times() -> None:
    order = FrameOrder(0.3, None)
    assert given_out(order, 0.0, 0.5, 1.0, 1.5, 2.0) == [[], [0.0], [0.5], [1.0], [1.5, 2.0]]
    assert given_out(order, 3.0, 2.5) == [[], [2.5, 3.0]]


def test_what_waits_comes_at_the_end() -> None:
    order = FrameOrder(0.3, 10.0)
    assert given_out(order, 0.1, 0.0) == [[], []]
    assert order.is_out_of_order(0.05)
    assert [time for time, _ in order.end()] == [0.0, 0.1]
    order.restart()
    assert given_out(order, 5.0, 5.3) == [[], [5.0]]
