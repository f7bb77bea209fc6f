"""The bench of formats: its cases that need no command, and what it says."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import bindrt
from bench.formats import command, pictures, sounds
from bench.formats.case import Case
from bindrt import preprocess

HERE = [case for case in (*sounds.cases(), *pictures.cases()) if case.by != "ffmpeg"]
#: FFmpeg's decoder of Opus and libopus differ in silent bands; MP3s that follow each other share a frame.
LOOSE = {"OPUS": 0.5, "MP3": 0.02, "VORBIS": 2e-3}


@pytest.mark.parametrize("case", HERE, ids=lambda case: f"{case.container}, {case.codec}")
def test_as_a_full_decode(case: Case) -> None:
    assert case.difference(case.make()) <= LOOSE.get(case.codec, 1e-5)


def test_what_cannot_be_made_or_is_refused_is_said() -> None:
    def missing() -> bytes:
        raise NotImplementedError("no encoder")

    def refused(data: bytes) -> float:
        return float(np.abs(preprocess.audio(data)).max())

    case = Case("audio", "None", "none", "nobody", missing, refused)
    assert command.run(case) == command.Row(case, "cannot be made here: no encoder", made=False)
    wrong = dataclasses.replace(case, make=lambda: b"text")
    row = command.run(wrong)
    assert row.made
    assert row.said.startswith("refused: the file is of an unknown format")
    assert command.table([row]).endswith(f"| audio | None | none | nobody | {row.said} |")
    with pytest.raises(bindrt.SourceError):
        refused(b"text")
