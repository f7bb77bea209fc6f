"""Texts that say where a file is: paths with ``~``, ``file:`` and ``data:`` URIs, URLs."""

from __future__ import annotations

import base64
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import PIL.Image
import pytest

from bindrt import Error, LimitError, Limits, SourceError, preprocess
from bindrt.sources import open_source, remote
from bindrt.sources.locations import PIECE, data_bytes

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def png(tmp_path: Path) -> Path:
    path = tmp_path / "a cat.png"
    PIL.Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3)).save(path)
    return path


def read(place: object) -> bytes:
    with open_source(place).binary() as stream:
        return stream.read()


def test_file_uris(png: Path) -> None:
    for place in (png.as_uri(), f"FILE:{png.as_uri()[5:]}", f"file://localhost{png.as_uri()[7:]}"):
        assert read(place) == png.read_bytes()
    with pytest.raises(SourceError, match="the file is on server"):
        open_source("file://server/cat.png")
    with pytest.raises(SourceError, match="no such file"):
        open_source("file:///none.png")


def test_home(png: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(png.parent))
    for place in ("~/a cat.png", Path("~/a cat.png")):
        assert read(place) == png.read_bytes()
    monkeypatch.chdir(png.parent)
    Path("~").mkdir()
    Path("~/dog.png").write_bytes(b"a file of that very name")
    assert read("~/dog.png") == b"a file of that very name"


def test_data_uris(png: Path) -> None:
    data = png.read_bytes()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        assert read("data:image/png;base64," + encode(data).decode()) == data
    assert read("DATA:;base64,aGVs%0Abg==") == b"heln"
    assert read("data:,a%20b") == b"a b"
    assert preprocess.detect("data:image/png;base64," + base64.b64encode(data).decode()) == "image"
    with pytest.raises(SourceError, match="damaged"):
        open_source("data:image/png;base64,a")
    with pytest.raises(SourceError, match="no bytes"):
        open_source("data:image/png;base64,")
    with pytest.raises(LimitError):
        open_source("data:image/png;base64," + "A" * 400, Limits(max_bytes=100))


def test_a_long_data_uri_has_a_short_name() -> None:
    with pytest.raises(SourceError) as caught:
        open_source("data:image/png;base64," + "A" * 100_001)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("whole", [0, 64 << 20])
def test_what_fsspec_opens(png: Path, whole: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fetched whole, or read piece by piece."""
    monkeypatch.setattr(remote, "_WHOLE", whole)
    with fsspec.open("memory://cats/cat.png", "wb") as file:
        file.write(png.read_bytes())
    assert read("memory://cats/cat.png") == png.read_bytes()
    assert (preprocess.image("memory://cats/cat.png") == preprocess.image(png)).all()
    with pytest.raises(SourceError, match="no such file"):
        open_source("memory://cats/dog.png")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server(png: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(png.parent))) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_http(png: Path, server: str) -> None:
    pytest.importorskip("aiohttp")
    assert (preprocess.image(f"{server}/a%20cat.png") == preprocess.image(png)).all()
    with pytest.raises(SourceError, match=r"dog\.png': there is no such file"):
        preprocess.image(f"{server}/dog.png")


def test_bad_urls() -> None:
    with pytest.raises(SourceError, match="no-such-scheme"):
        open_source("no-such-scheme://x/y")
    with pytest.raises(SourceError, match="chained"):
        open_source("simplecache::memory://cats/cat.png")


def test_without_fsspec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(Error, match=r"needs the package fsspec; .*, or download it first"):
        open_source("https://example.org/cat.jpg")


class Busy(Quiet):
    """Fails some times, then serves."""

    failures: ClassVar[list[int]] = []

    def send_head(self) -> Any:
        if self.failures:
            self.send_error(self.failures.pop(0))
            return None
        return super().send_head()


@pytest.mark.parametrize(("failures", "said"), [([503, 429], None), ([403] * 20, "403"), ([503] * 20, "503")])
def test_http_that_fails_for_a_moment_is_tried_again(
    failures: list[int], said: str | None, png: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("aiohttp")
    waits: list[float] = []
    monkeypatch.setattr(remote.time, "sleep", waits.append)
    handler = partial(Busy, directory=str(png.parent))
    monkeypatch.setattr(Busy, "failures", list(failures))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{running.server_port}/a%20cat.png"
        if said is None:
            assert read(url) == png.read_bytes()
            assert waits
        else:
            with pytest.raises(SourceError, match=said):
                read(url)
            assert bool(waits) == (said == "503")
        running.shutdown()


def test_what_a_store_does_not_have_is_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """S3's file system keeps its server's answer as the cause."""
    waits: list[float] = []
    monkeypatch.setattr(remote.time, "sleep", waits.append)

    def lacks(*arguments: object, **options: object) -> None:
        raise FileNotFoundError("cat.png") from RuntimeError("404: no such key")

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "_open", lacks)
    with pytest.raises(SourceError, match="there is no such file"):
        read("memory://cats/cat.png")
    assert not waits


def test_a_store_that_fails_while_it_is_read(png: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote.time, "sleep", lambda seconds: None)
    calls = []

    class Failing(BytesIO):
        size = png.stat().st_size

        def read(self, count: int | None = -1) -> bytes:
            calls.append(count)
            if len(calls) == 1:
                super().read(10)
                raise ConnectionResetError("the store has gone")
            return super().read(count)

    monkeypatch.setattr(
        type(fsspec.filesystem("memory")), "_open", lambda *args, **options: Failing(png.read_bytes())
    )
    assert read("memory://cats/cat.png") == png.read_bytes()
    assert len(calls) == 2


@pytest.mark.parametrize("part", ["ab ", "%41%42"])
def test_data_uris_take_little_memory_beside_themselves(part: str) -> None:
    """Not an object for each space or percent sign."""
    uri = "data:;base64," + part * 100_000
    tracemalloc.start()
    try:
        data_bytes(uri, "it", Limits())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5 * len(uri) + (1 << 19), peak / len(uri)


@pytest.mark.parametrize("before", range(5))
def test_percent_signs_at_any_place(before: int) -> None:
    """Also where they stand at the border of what is decoded at once."""
    size = PIECE - before
    uri = "data:," + "x" * size + "%41%42%zz%" + "y" * size + "%43%"
    expected = b"x" * size + b"AB%zz%" + b"y" * size + b"C%"
    assert data_bytes(uri, "it", Limits()) == expected


def test_base64_with_spaces_and_of_urls() -> None:
    for text in ("+/ +\t/\r\n+/\v+/\f=", "-_-_-_-_", "%2B/%2b/+/+%2F%3d"):
        assert data_bytes(f"data:;base64,{text}", "it", Limits()) == base64.b64decode("+/+/+/+/")
