"""What workers know of each other."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bindrt.serving.workers.board import Board, State
from bindrt.serving.workers.metrics import merged
from bindrt.serving.workers.peers import Peers

pytest.importorskip("prometheus_client", reason="the extra serve is not installed")


@pytest.mark.parametrize(
    ("states", "own", "problem"),
    [
        ((State.COLD, State.COLD), "cold", "cold"),
        ((State.COLD, State.READY), "cold", ""),
        ((State.READY, State.COLD), "", ""),
        ((State.READY, State.GONE), "", ""),
        ((State.COLD, State.GONE), "cold", "cold"),
        ((State.READY, State.STOPPED), "", "worker 1 does not go on"),
        ((State.STOPPED, State.READY), "stopped", "stopped"),
    ],
)
def test_ready_is_told_for_all(states: tuple[State, State], own: str, problem: str, tmp_path: Path) -> None:
    board = Board(2, str(tmp_path))
    peers = Peers(board, 0)
    for number, state in enumerate(states):
        Peers(board, number).tell(state)
    assert peers.problem(own) == problem


def test_metrics_of_those_that_answer(tmp_path: Path) -> None:
    board = Board(3, str(tmp_path))
    board.starts[:] = 1, 2, 3

    async def ask() -> str:
        first, second = Peers(board, 0), Peers(board, 1)
        await second.listen(lambda: b"# TYPE up gauge\nup 2.0\n")
        try:
            return (await first.metrics(b"# TYPE up gauge\nup 1.0\n")).decode()
        finally:
            second.close()

    lines = asyncio.run(ask()).splitlines()
    assert [line for line in lines if line.startswith("up")] == ['up{worker="0"} 1.0', 'up{worker="1"} 2.0']
    assert 'bindrt_worker_starts_total{worker="2"} 3.0' in lines


@pytest.mark.parametrize("size", [0, 9, 20, 38, 39])
def test_a_worker_that_dies_while_it_answers_is_left_out(tmp_path: Path, size: int) -> None:
    """What came of its answer may be no text of Prometheus'."""
    board = Board(2, str(tmp_path))
    own = b"# TYPE up gauge\nup 1.0\n"

    async def ask() -> str:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b'# TYPE up gauge\nup{path="\xc3\xa9"} 2.0\n'[:size])
            writer.close()

        dying = await asyncio.start_unix_server(answer, tmp_path / "1")
        try:
            return (await Peers(board, 0).metrics(own)).decode()
        finally:
            dying.close()

    lines = asyncio.run(ask()).splitlines()
    assert [line for line in lines if line.startswith("up")] == ['up{worker="0"} 1.0']


def test_each_family_stands_once() -> None:
    text = (
        '# HELP n_total Some.\n# TYPE n_total counter\nn_total{a="x\\"y"} 1.0\n'
        "# HELP s Times.\n# TYPE s histogram\n"
        's_bucket{le="1.0"} 2.0\ns_bucket{le="+Inf"} 3.0\ns_count 3.0\ns_sum 4.5\n'
    )
    lines = merged({0: text, 1: text}, {}).decode().splitlines()
    assert lines.count("# TYPE n_total counter") == lines.count("# TYPE s histogram") == 1
    assert [line for line in lines if line.startswith("n_total")] == [
        'n_total{a="x\\"y",worker="0"} 1.0', 'n_total{a="x\\"y",worker="1"} 1.0',
    ]  # fmt: skip
    assert 's_bucket{le="+Inf",worker="1"} 3.0' in lines
