"""Paths, bytes and file objects, there or not."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bindrt import Error, LimitError, Limits, SourceError, preprocess
from bindrt.arrays import item_name
from bindrt.modalities.steps import tokenizer
from bindrt.sources import open_source
from bindrt.sources.opening import IF_CUT, decoding
from support.golden import HERE
from support.media import sound_bytes


class Pipe(io.RawIOBase):
    """A binary stream that cannot seek."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._data.readinto(buffer)


def test_a_path(tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    path.write_bytes(b"abc" * 5000)
    for src in (path, str(path)):
        opened = open_source(src)
        assert (opened.path, opened.size, len(opened.head)) == (str(path), 15000, 4096)
        with opened.binary() as stream:
            assert stream.read(3) == b"abc"


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes(kind: type) -> None:
    opened = open_source(kind(b"abc"))
    assert opened.path is None
    assert opened.size == 3
    with opened.binary() as stream:
        assert stream.read() == b"abc"


def test_a_file_object_is_read_from_its_beginning_and_left_open() -> None:
    file = io.BytesIO(b"abcdef")
    file.seek(4)
    opened = open_source(file)
    assert opened.head == b"abcdef"
    with opened.binary() as stream:
        assert stream.read() == b"abcdef"
    assert not file.closed


def test_a_pipe_is_read_whole_and_bounded() -> None:
    assert open_source(Pipe(b"x" * 3_000_000)).size == 3_000_000
    with pytest.raises(LimitError, match="more than 1000000 bytes"):
        open_source(Pipe(b"x" * 3_000_000), Limits(max_bytes=1_000_000))


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        open_source(tmp_path / "none.png")


@pytest.mark.parametrize(
    ("reason", "asked"),
    [
        ("image file is truncated", True),
        ("Unexpected end of file", True),
        ("bad CRC", False),
        ("no frames", False),
    ],
)
def test_whether_a_file_is_complete_is_asked_where_something_is_missing(reason: str, asked: bool) -> None:
    with pytest.raises(SourceError) as caught, decoding("it", "image", IF_CUT):
        raise ValueError(reason)
    assert caught.value.remedy == (IF_CUT if asked else "")


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="folder"):
        open_source(tmp_path)
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(SourceError, match="regular file"):
        open_source(tmp_path / "fifo")
    with pytest.raises(SourceError, match="null"):
        open_source("a\0b")
    with pytest.raises(SourceError, match="not a file"):
        open_source(17)


def test_a_folder_is_named_once(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(tmp_path)
    assert str(caught.value) == f"{str(tmp_path)!r}: this is a folder; pass its files one by one"


def test_memoryviews() -> None:
    view = memoryview(b"a.b.c.")
    with open_source(view[::2]).binary() as stream:
        assert stream.read() == b"abc"
    view.release()
    with pytest.raises(SourceError, match=r"released memoryview>: cannot read the bytes"):
        open_source(view)


def test_a_file_that_goes_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "gone.png"
    path.write_bytes(b"abc")
    opened = open_source(path)
    path.unlink()
    with pytest.raises(SourceError, match=r"gone\.png': cannot read the file"), opened.binary():
        pass


def test_empty(tmp_path: Path) -> None:
    path = tmp_path / "empty.jpg"
    path.touch()
    for src in (path, b"", io.BytesIO(), Pipe(b"")):
        with pytest.raises(SourceError, match="empty|no bytes"):  # noqa: RUF043
            open_source(src)


def test_bytes_above_the_limit() -> None:
    with pytest.raises(LimitError):
        open_source(b"x" * 11, Limits(max_bytes=10))


def test_text_streams_and_broken_ones(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("hello")
    with path.open() as file, pytest.raises(SourceError, match="binary mode"):
        open_source(file)
    with pytest.raises(SourceError, match="binary mode"):
        open_source(io.StringIO("hello"))
    closed = io.BytesIO(b"abc")
    closed.close()
    with pytest.raises(SourceError, match="closed"):
        open_source(closed)

    class Broken:
        def read(self, size: int = -1) -> bytes:
            raise RuntimeError("the network is down")

    with pytest.raises(SourceError, match="the network is down"):
        open_source(Broken())


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("soundfile", lambda: preprocess.audio(sound_bytes("AIFF"))),  # the core may have a WAV's by now
        ("av", lambda: preprocess.audio(HERE / "inputs/video/short_1s2.mp4")),
        ("tokenizers", lambda: preprocess.text("ä")),
    ],
)
def test_a_library_that_does_not_load(
    name: str, call: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(tokenizer, "_loaded", None)
    with pytest.raises(Error, match=f"{name}: the library does not load: .*; python -m bindrt doctor"):
        call()


def test_names(tmp_path: Path) -> None:
    import numpy as np

    assert item_name("cat.jpg") == "'cat.jpg'"
    assert item_name(Path("a") / "cat.jpg") == "'a/cat.jpg'"
    assert item_name(b"123") == "<bytes, 3 B>"
    assert item_name(np.zeros((480, 640, 3), np.uint8)) == "<array uint8 [480, 640, 3]>"
    assert len(item_name("x" * 5000)) < 250
    with (tmp_path / "f").open("wb") as file:
        assert item_name(file).endswith("/f'")
