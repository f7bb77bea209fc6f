"""The soak of ``python -m bench serve``, for some seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

import bindrt

pytest.importorskip("uvicorn", reason="the extra serve is not installed")


@pytest.mark.deep
def test_all_good_requests_are_answered_while_workers_are_killed(tmp_path: Path) -> None:
    from bench.serve.items import items
    from bench.serve.server import serving
    from bench.serve.soak import soak

    with (
        bindrt.load("tiny", engine="onnxruntime") as model,
        serving("tiny", ["--workers", "2", "--engine", "onnxruntime", "--no-access-log"]) as server,
    ):
        found = soak(server, model, items(tmp_path), ("text", "image"), minutes=0.3, between_kills=4.0)
    assert found["kills"] > 0
    assert (found["wrong"], found["given_up"]) == ([], 0)
    assert found["right"] == found["good"] > 0
    assert found["refused"] == found["bad"]
