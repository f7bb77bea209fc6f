"""Events in a live stream."""

from __future__ import annotations

import numpy as np

import bindrt
from support.media import picture


def test_a_monitor_watches_a_live_stream_and_passes_over_what_failed() -> None:
    with bindrt.load("tiny") as model:
        mine = model.embed(thermal=bindrt.Thermal(picture()[:, :, 0])).thermal[0]
        with model.live("thermal", policy="all", queue=99) as stream:
            for time in range(10):
                frame = picture()[:, :, 0]
                stream.push(frame.astype(np.uint16) if time == 4 else frame, time=float(time))
        monitor = bindrt.Monitor(model, {"mine": [mine]}, on=0.3, off=0.2)
        events = list(monitor.watch(stream))
    assert [event.name for event in events] == ["mine", "mine"]
    assert [(event.start, event.end) for event in events] == [(0.0, 3.0), (5.0, 9.0)]
    assert stream.stats()["failed"] == 1
