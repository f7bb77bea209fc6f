"""The load generator of ``python -m bench serve``, and the server that only reads."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="the extra serve is not installed")


def test_latencies_and_how_much_of_them_is_the_generators(tmp_path: Path) -> None:
    from bench.serve.items import request
    from bench.serve.reader import command
    from bench.serve.server import HOST, free_port, load, running

    port = free_port()
    sent = request("audio", [b"\0" * 1_000_000], HOST)
    times = [0.01 * i for i in range(20)]
    with running(command(port), port, "/") as reader:
        found = load(reader, sent, tmp_path, mode="open", connections=4, times=times)
    assert len(found["latencies"]) == len(found["late"]) == 20
    assert all(late < whole for late, whole in zip(found["late"], found["latencies"], strict=True))
    assert 0 < found["share"] < 1
