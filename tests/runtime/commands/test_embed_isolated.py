"""``bind-embed --isolate`` and ``--timeout``: decoding in processes that may be killed."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from bindrt import preprocess
from bindrt.isolation import Isolated, process
from bindrt.sources import open_source
from support.embedding import DEPTH, FILM, IMU, PHOTO, SOUND, Embed, near


def test_the_same_rows(embed: Embed, tmp_path: Path) -> None:
    (tmp_path / "cut.mp4").write_bytes(FILM.read_bytes()[:300])
    inputs = (PHOTO, SOUND, FILM, IMU, tmp_path, "--on-error", "skip", "--text", "a", "--min-seconds", "2")
    here, there = embed(*inputs), embed(*inputs, "--isolate")
    assert (here.code, there.code) == (0, 0)
    assert [(r["source"], r["modality"], r["error"]) for r in here.rows] == [
        (r["source"], r["modality"], r["error"]) for r in there.rows
    ]
    for ours, theirs in zip(here.rows, there.rows, strict=True):
        assert ours["error"] or near(ours, theirs["embedding"])


def test_modalities_are_told_in_the_process(tmp_path: Path) -> None:
    looking = Isolated(60)
    try:
        for path in (PHOTO, SOUND, FILM, IMU, DEPTH):
            assert looking.detect(open_source(path)) == preprocess.detect(path)
            assert looking.detect(open_source(path.read_bytes())) == preprocess.detect(path)
        (tmp_path / "notes.txt").write_text("a text")
        assert looking.detect(open_source(tmp_path / "notes.txt")) is None
    finally:
        looking.close()


#: What the process runs in place of its own code: it hangs or crashes at a file called so.
HOSTILE = """
import os, signal, time
from bindrt.isolation import worker
def hostile(real):
    def call(*args):
        source = args[0] if WHERE == "detect" else getattr(args[1], "src", args[1])
        name = os.path.basename(str(source))
        if name == "hangs.webp":
            time.sleep(60)
        if name == "crashes.webp":
            os.kill(os.getpid(), signal.SIGSEGV)
        return real(*args)
    return call
setattr(worker, WHERE, hostile(getattr(worker, WHERE)))
worker.main()
"""


@pytest.mark.parametrize("where", ["detect", "prepare_views"])
def test_a_decoder_that_hangs_or_crashes_costs_one_file(
    embed: Embed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    code = f"import json, sys; sys.path[:] = json.loads(sys.argv[1]); WHERE = {where!r}\n{HOSTILE}"
    monkeypatch.setattr(process, "_CODE", code)
    for name in ("crashes.webp", "good.webp", "hangs.webp", "other.webp"):
        (tmp_path / name).write_bytes(PHOTO.read_bytes())
    done = embed(tmp_path, "--timeout", "5", "--on-error", "skip")
    assert done.code == 0, done.err
    errors = [row["error"] or "" for row in done.rows]
    assert f"decoding it crashed (signal {int(signal.SIGSEGV)})" in errors[0]
    assert errors[1] == errors[3] == ""
    assert "decoding takes longer than 5 s" in errors[2]


def test_a_time_that_is_none_is_refused(embed: Embed) -> None:
    done = embed(PHOTO, "--timeout", "0")
    assert done.code == 2
    assert "item_timeout=0.0: not a time" in done.err
