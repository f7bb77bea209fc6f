"""What a page shows: bounded, and for each viewer what is new."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

from bindrt.errors import InputError
from bindrt.limits import DEFAULT_LIMITS
from bindrt.monitoring import Event
from bindrt.watching.board import EVENTS, STREAMS, Board
from bindrt.watching.card import NAMES


def window(end: float, **more: Any) -> Any:
    return SimpleNamespace(start=end - 2, end=end, **more)


def board() -> Board:
    return Board("title", DEFAULT_LIMITS)


def test_a_viewer_gets_all_at_first_and_then_what_is_new() -> None:
    shown = board()
    shown.add(
        "mic", window(2.0, modality="audio", dropped=3, arrived=10.0, done=10.25), {"bell": 0.5}, ["bell"]
    )
    shown.add_event("mic", Event("bell", 0.0, 2.0, 1.0, 0.5))
    seen, first = shown.since(-1)
    assert first == {
        "reset": True, "title": "title", "ended": False, "notes": [],
        "streams": [{
            "id": 0, "name": "mic", "modality": "audio", "names": ("bell",), "left_out": 0, "scores": [0.5],
            "active": [0], "points": [[2.0, [0.5]]], "picture": 0, "shows": "", "problem": "",
            "windows": 1, "failed": 0, "dropped": 3, "time": 2.0, "latency": 0.25,
        }],
        "events": [[0, "bell", 0.0, 2.0, 1.0, 0.5]],
    }  # fmt: skip
    assert not shown.wait(seen, 0.0, lambda: False)
    shown.add("mic", window(3.0), {"bell": 0.25}, [])
    assert shown.wait(seen, 0.0, lambda: False)
    _, then = shown.since(seen)
    assert (then["reset"], then["events"]) == (False, [])
    assert then["streams"][0]["points"] == [[3.0, [0.25]]]
    assert then["streams"][0]["active"] == []
    assert then["streams"][0]["modality"] == "audio"


def test_a_minute_of_points_and_no_more_than_ten_a_second() -> None:
    shown = board()
    for i in range(10_000):
        shown.add("mic", window(i / 50), {"bell": i / 10_000}, [])
    (card,) = shown.since(-1)[1]["streams"]
    times = [time for time, _ in card["points"]]
    assert 590 <= len(times) <= 601
    assert times[-1] - times[0] <= 60
    assert card["scores"] == [0.9999]
    assert card["windows"] == 10_000


def test_a_clock_that_begins_anew_begins_the_chart_anew() -> None:
    shown = board()
    for end in (100.0, 101.0, 5.0):
        shown.add("mic", window(end), {"bell": 0.0}, [])
    assert shown.since(-1)[1]["streams"][0]["points"] == [[5.0, [0.0]]]


def test_other_names_begin_the_chart_anew() -> None:
    shown = board()
    shown.add("mic", window(1.0), {"bell": 0.0}, [])
    shown.add("mic", window(2.0), {"car": 0.0, "bell": 0.1}, ["bell"])
    (card,) = shown.since(-1)[1]["streams"]
    assert (card["names"], card["points"], card["active"]) == (("car", "bell"), [[2.0, [0.0, 0.1]]], [1])


def test_what_failed_is_counted_and_told() -> None:
    shown = board()
    shown.add("mic", window(1.0), {"bell": 0.5}, [])
    shown.add("mic", window(2.0, error=InputError("frame", "it is damaged")), {}, [])
    (card,) = shown.since(-1)[1]["streams"]
    assert (card["windows"], card["failed"], card["problem"]) == (1, 1, "frame: it is damaged")
    assert card["scores"] == [0.5]


def test_numbers_that_json_does_not_have_are_left_out() -> None:
    shown = board()
    shown.add("mic", window(1.0), {"bell": math.nan}, [])
    shown.add("mic", window(math.inf), {"bell": math.inf}, [])
    shown.add_event("mic", Event("bell", 0.0, math.inf, math.nan, 0.5))
    message = shown.since(-1)[1]
    assert message["streams"][0]["points"] == [[1.0, [None]]]
    assert message["streams"][0]["time"] is None
    assert message["events"] == [[0, "bell", 0.0, None, None, 0.5]]


def test_everything_is_bounded() -> None:
    shown = board()
    for i in range(EVENTS + 5):
        shown.add_event("mic", Event("bell", float(i), i + 1.0, i + 0.5, 0.5))
    many = {f"name {i}": 0.0 for i in range(NAMES + 7)}
    for i in range(STREAMS + 3):
        shown.add(f"stream {i}", window(1.0), many, [f"name {NAMES + 1}", "name 1"])
    message = shown.since(-1)[1]
    assert [event[2] for event in message["events"]] == [float(i) for i in range(5, EVENTS + 5)]
    assert len(message["streams"]) == STREAMS
    assert message["notes"] == ["4 further streams are not shown"]
    last = message["streams"][-1]
    assert (len(last["names"]), len(last["scores"]), last["left_out"], last["active"]) == (
        NAMES,
        NAMES,
        7,
        [1],
    )


def test_the_end() -> None:
    shown = board()
    shown.add("mic", window(1.0), {"bell": 0.9}, ["bell"])
    seen, _ = shown.since(-1)
    shown.note(["the file is cut off"])
    shown.end()
    assert shown.wait(seen, 0.0, lambda: False)
    message = shown.since(seen)[1]
    assert (message["ended"], message["notes"], message["streams"][0]["active"]) == (
        True, ["the file is cut off"], [],
    )  # fmt: skip
