"""Files decoded in processes: the same views; a process that hangs or crashes costs one item."""

from __future__ import annotations

import io
import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt import Audio, ClosedError, LimitError, Limits, OptionError, SourceError
from bindrt.isolation import Isolated, messages
from bindrt.isolation.process import DecodingProcess
from bindrt.modalities import Views
from bindrt.preprocess.dispatch import prepare_views
from support.media import picture, picture_bytes, sound_bytes, waveform, write_video

LIMITS = Limits()


@pytest.fixture(scope="module")
def isolated() -> Any:
    pool = Isolated(30.0)
    yield pool
    pool.close()


def sources(folder: Path) -> list[tuple[str, Any]]:
    video = write_video(folder / "a.mp4")
    np.savez(folder / "depth.npz", depth=np.full((30, 40), 1500, np.uint16))
    return [
        ("image", picture_bytes("JPEG")),
        ("image", io.BytesIO(picture_bytes("PNG"))),
        ("video", video),
        ("video", bindrt.Video(str(video))),
        ("audio", sound_bytes("FLAC")),
        ("audio", Audio(sound_bytes("WAV", waveform(9.0)), start=1.0, end=3.0)),
        ("depth", folder / "depth.npz"),
        ("thermal", picture_bytes("PNG", picture()[..., 0])),
        ("image", picture()),  # prepared here, as all that no decoder reads
        ("text", "a bell"),
    ]


def test_the_views_are_the_same(isolated: Isolated, tmp_path: Path) -> None:
    for modality, source in sources(tmp_path):
        here, there = (f(modality, source, LIMITS) for f in (prepare_views, isolated.views))
        np.testing.assert_array_equal(there.all(), here.all())
        assert dict(there.notes) == dict(here.notes)


def test_a_relative_path_counts_from_where_the_program_is(
    isolated: Isolated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.png").write_bytes(picture_bytes("PNG"))
    isolated.views("image", str(tmp_path / "a.png"), LIMITS)
    monkeypatch.chdir(tmp_path)
    assert isolated.views("image", "a.png", LIMITS).array.shape == (1, 3, 224, 224)


@pytest.mark.parametrize("source", [b"text", "none.jpg", picture_bytes("PNG")[:200], 5])
def test_errors_are_the_same(isolated: Isolated, source: Any) -> None:
    said = []
    for prepare in (prepare_views, isolated.views):
        with pytest.raises(bindrt.InputError) as caught:
            prepare("image", source, LIMITS)
        said.append((type(caught.value), str(caught.value)))
    assert said[0] == said[1]


def test_limits_hold_there(isolated: Isolated) -> None:
    with pytest.raises(LimitError, match="longer than the limit"):
        isolated.views("audio", sound_bytes("WAV"), Limits(max_seconds=1))


def test_what_takes_too_long_is_killed_and_the_next_item_is_served(tmp_path: Path) -> None:
    path = tmp_path / "long.flac"
    path.write_bytes(sound_bytes("FLAC", np.tile(waveform(60.0), 12)))
    pool = Isolated(0.05)
    try:
        with pytest.raises(LimitError, match=r"long.flac.*decoding takes longer than 0\.05 s.*item_timeout"):
            pool.views("audio", path, LIMITS)
        pool._timeout = 30.0  # starting anew takes no item's time, but the machine may be busy
        assert pool.views("image", picture_bytes("PNG"), LIMITS).array.shape == (1, 3, 224, 224)
    finally:
        pool.close()


class Ends:
    """What a process that unpickles it dies of."""

    def __init__(self, how: Any, *arguments: Any) -> None:
        self._how = how, arguments

    def __reduce__(self) -> Any:
        return self._how


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        (Ends(os.abort), "decoding it crashed (signal 6)"),
        (Ends(os._exit, 3), "decoding it ended (exit code 3)"),
        (Ends(os.write, 1, b"x" * 100), "decoding it"),
    ],
)
def test_a_crash_is_the_items_error(ending: Ends, said: str) -> None:
    import pickle

    process = DecodingProcess()
    with pytest.raises(SourceError) as caught:
        process.prepare("bad.mp4", pickle.dumps(ending), 30.0)
    assert str(caught.value).startswith(f"bad.mp4: {said}")
    assert not process.alive


def test_an_idle_process_that_was_killed_is_replaced(isolated: Isolated) -> None:
    data = picture_bytes("PNG")
    isolated.views("image", data, LIMITS)
    for process in list(isolated._idle):
        os.kill(process._process.pid, signal.SIGKILL)
        process._process.wait()
    assert isolated.views("image", data, LIMITS).array.shape == (1, 3, 224, 224)


def test_a_reply_runs_no_code() -> None:
    """Only shapes, numbers and texts are read from a process; anything else is none."""
    for header in (
        b'{"error": "__builtins__", "said": ["", "", ""]}',
        b'{"error": "annotations", "said": ["", "", ""]}',
        b'{"arrays": [{"dtype": "object", "shape": [1]}], "notes": {}}',
    ):
        stream = io.BytesIO(messages.frame(header) + bytes(100))
        with pytest.raises(ValueError, match="not a reply"):
            messages.read_reply(stream.read)
    views = Views(np.ones((2, 3), np.float32), np.array([0, 1, 1]), {"lost_packets": 2})
    again = messages.read_reply(io.BytesIO(b"".join(messages.reply_of(views))).read)
    assert np.array_equal(again.all(), views.all())
    assert again.notes == views.notes


def test_a_model(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4")
    sound = sound_bytes("WAV")
    with bindrt.load("tiny") as model:
        want = model.embed(video=video, audio=sound, text="a bell")
    with bindrt.load("tiny", isolate=True, item_timeout=60) as model:
        found = model.embed(video=[video, b"text"], audio=sound, text="a bell", on_error="skip")
        assert isinstance(found.errors["video", 1], SourceError)
        for modality in ("audio", "text"):
            np.testing.assert_array_equal(found[modality], want[modality])
        np.testing.assert_array_equal(found["video"][:1], want["video"])
        np.testing.assert_allclose(model.submit("video", video).result(), want["video"][0], atol=1e-6)
        pool = model._isolated
    assert pool is not None
    assert not any(process.alive for process in pool._all)
    with pytest.raises(ClosedError):
        pool.views("audio", sound, LIMITS)


def test_options() -> None:
    for options in ({"isolate": 1}, {"item_timeout": 5}, {"isolate": True, "item_timeout": 0}):
        with pytest.raises(OptionError):
            bindrt.load("tiny", **options)  # type: ignore[arg-type]


def test_the_process_ends_with_its_parent() -> None:
    process = DecodingProcess()
    assert process._process.stdin is not None
    process._process.stdin.close()
    end = time.monotonic() + 60
    while process.alive and time.monotonic() < end:
        time.sleep(0.05)
    assert not process.alive
    process.kill()
