"""Two ``bind-embed`` on one output, killed at random: in the end it has every row, once."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from bindrt.index import Index
from support.commands import command

TEXTS = [f"text number {i}" for i in range(1500)]
ROUNDS = 20


@pytest.mark.deep
@pytest.mark.parametrize("place", ["-o", "--index"])
def test_two_writers_and_random_kills(tmp_path: Path, place: str) -> None:
    chance = random.Random(place)
    refused = 0
    for number in range(ROUNDS // 2):
        output = tmp_path / (f"{number}.parquet" if place == "-o" else f"{number}.index")
        writers: list[subprocess.Popen[str]] = []
        for _ in range(2):
            writers.append(start(tmp_path, output, place))
            time.sleep(chance.uniform(0, 0.5))
        for writer in chance.sample(writers, 2):
            try:
                writer.wait(chance.uniform(0.5, 4))
            except subprocess.TimeoutExpired:
                writer.send_signal(chance.choice([signal.SIGKILL, signal.SIGINT]))
            messages = writer.communicate(timeout=60)[1]
            assert "Traceback" not in messages
            # Ctrl-C while bindrt is still being imported ends the process as the signal does.
            assert writer.returncode in (0, 1, -signal.SIGKILL, -signal.SIGINT, 130), messages
            if writer.returncode == 1:
                assert "another bind-embed is writing it" in messages
                refused += 1
        last = start(tmp_path, output, place)
        messages = last.communicate(timeout=120)[1]
        assert last.returncode == 0, messages
        rows = pq.read_table(output)["source"].to_pylist() if place == "-o" else Index.load(output).ids
        assert sorted(rows) == sorted(TEXTS), number
        left = {path.name for path in tmp_path.iterdir()}
        assert left == {"texts", *(f"{n}{output.suffix}" for n in range(number + 1))}
    assert refused


def start(folder: Path, output: Path, place: str) -> subprocess.Popen[str]:
    texts = folder / "texts"
    texts.write_text("".join(f"{text}\n" for text in TEXTS))
    with open(texts) as lines:
        return subprocess.Popen(
            command("bind-embed", "tiny", "-", "--modality", "text", place, output, "--resume"),
            stdin=lines,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
