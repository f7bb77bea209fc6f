"""Live streams whose model is closed while they open, or whose threads have ended with the process."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt.streams import hands, opening
from bindrt.streams.live import LiveStream
from bindrt.streams.opening import open_live
from bindrt.streams.policies import PolicyName

RATE = 16000


def test_a_model_that_is_closed_meanwhile_opens_no_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[LiveStream] = []

    def open_noted(*given: Any) -> LiveStream:
        opened.append(open_live(*given))
        return opened[0]

    with bindrt.load("tiny") as model:
        monkeypatch.setattr(opening, "open_live", open_noted)
        monkeypatch.setattr(model, "engine", lambda modality: model.close())
        with pytest.raises(bindrt.ClosedError, match="the model is closed"):
            model.live("audio", rate=RATE)
    assert opened[0].closed


@pytest.mark.parametrize("policy", ["latest", "all"])
def test_nothing_is_taken_once_the_threads_have_ended(
    monkeypatch: pytest.MonkeyPatch, policy: PolicyName
) -> None:
    own = hands.Hands(os.getpid())
    monkeypatch.setattr(hands, "hands", lambda process, scheduling: own)
    with bindrt.load("tiny") as model:
        stream, block = model.live("audio", rate=RATE, policy=policy), np.zeros(160, np.float32)
        stream.push(block)
        stream.push(block)
        own.stop()
        for _ in range(2):
            with pytest.raises(bindrt.ClosedError, match="the program is ending"):
                stream.push(block)
        assert stream.stats()["pushed"] == 2
        stream.close(drain=True)  # nobody would end it
        assert list(stream) == []
        with pytest.raises(bindrt.ClosedError, match="the program is ending"):
            model.live("audio", rate=RATE)
