"""File objects of all kinds: mapped, streamed, shared by several readers."""

from __future__ import annotations

import asyncio
import gzip
import io
import mmap
import os
import socket
import tarfile
import tempfile
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import bindrt
from bindrt import InputError, LimitError, Limits, SourceError, preprocess
from bindrt.sources import open_source
from support.media import sound_bytes

DATA = np.random.default_rng(0).bytes(300_000)


def read(src: object) -> bytes:
    with open_source(src).binary() as stream:
        return stream.read()


def mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)


def member(path: Path, mode: str) -> Any:
    with tarfile.open(path.with_suffix(".tar"), "w") as archive:
        archive.add(path, "it")
    opened: Any = tarfile.open(path.with_suffix(".tar"), mode)  # noqa: SIM115 - its member needs it
    return opened.extractfile(opened.next())


def zipped(path: Path) -> Any:
    with zipfile.ZipFile(path.with_suffix(".zip"), "w") as archive:
        archive.write(path, "it")
    return zipfile.ZipFile(path.with_suffix(".zip"))


def sent(path: Path) -> socket.socket:
    ours, theirs = socket.socketpair()

    def send() -> None:
        with theirs:
            theirs.sendall(path.read_bytes())

    threading.Thread(target=send, daemon=True).start()
    return ours


def spooled(path: Path) -> Any:
    file = tempfile.SpooledTemporaryFile()  # noqa: SIM115 - it is returned
    file.write(path.read_bytes())
    return file


def gzipped(path: Path) -> Any:
    path.with_suffix(".gz").write_bytes(gzip.compress(path.read_bytes()))
    return gzip.open(path.with_suffix(".gz"))


KINDS: dict[str, Callable[[Path], Any]] = {
    "a map": mapped,
    "a file": lambda path: path.open("rb"),
    "a file without a buffer": lambda path: path.open("rb", buffering=0),
    "a file that is written to": lambda path: path.open("r+b"),
    "a member of a tar": lambda path: member(path, "r"),
    "a member of a streamed tar": lambda path: member(path, "r|"),
    "a member of a zip": lambda path: zipped(path).open("it"),
    "a path in a zip": lambda path: zipfile.Path(zipped(path), "it").open("rb"),
    "a socket": sent,
    "a socket's file": lambda path: sent(path).makefile("rb"),
    "a spooled file": spooled,
    "a compressed file": gzipped,
    "bytes": lambda path: io.BytesIO(path.read_bytes()),
}
ONCE = ("a socket", "a socket's file", "a member of a streamed tar")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "it").write_bytes(DATA)
    return tmp_path / "it"


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_read_whole(kind: str, path: Path) -> None:
    assert read(KINDS[kind](path)) == DATA


@pytest.mark.parametrize("kind", [k for k in KINDS if k not in ONCE])
def test_several_readers_at_once(kind: str, path: Path) -> None:
    file = KINDS[kind](path)

    def pieces(size: int) -> bytes:
        with open_source(file).binary() as stream:
            return b"".join(iter(lambda: stream.read(size), b""))

    with ThreadPoolExecutor(8) as pool:
        assert all(found == DATA for found in pool.map(pieces, range(3001, 3001 + 32)))


def test_members_of_one_tar_share_its_file(path: Path) -> None:
    with tarfile.open(path.with_suffix(".tar"), "w") as archive:
        for i in range(8):
            archive.add(path, f"{i}")
    with tarfile.open(path.with_suffix(".tar")) as archive, ThreadPoolExecutor(8) as pool:
        members = [archive.extractfile(f"{i}") for i in range(8)]
        assert all(found == DATA for found in pool.map(read, members))


@pytest.mark.parametrize("mode", ["r", "r|"])
@pytest.mark.parametrize("wrap", [lambda file: file, bindrt.Image])
def test_members_of_a_tar_while_it_is_walked(tmp_path: Path, mode: str, wrap: Callable[[Any], Any]) -> None:
    """They wait in a queue while the caller goes on in the archive."""
    pictures = np.random.default_rng(0).integers(0, 255, (60, 40, 50, 3), np.uint8)
    with tarfile.open(tmp_path / "it.tar", "w") as archive:
        for i, pixels in enumerate(pictures):
            data = io.BytesIO()
            PIL.Image.fromarray(pixels).save(data, "PNG")
            member = tarfile.TarInfo(f"{i}.png")
            member.size = data.tell()
            archive.addfile(member, io.BytesIO(data.getvalue()))
    with bindrt.load("tiny", modalities=["image"]) as model:
        want = model.embed(image=list(pictures)).image
        opened: Any = tarfile.open(tmp_path / "it.tar", mode)  # noqa: SIM115 - closed below
        with opened as archive:
            found = [r.vector for r in model.stream("image", (wrap(archive.extractfile(m)) for m in archive))]
        np.testing.assert_allclose(np.stack(found), want, atol=1e-5)


def test_a_sound_from_each_kind(tmp_path: Path) -> None:
    """FFmpeg's and libsndfile's own calls, not only read()."""
    path = tmp_path / "it"
    path.write_bytes(sound_bytes("FLAC"))
    want = preprocess.audio(path)
    for kind in ("a map", "a file", "a member of a tar", "a socket"):
        assert (preprocess.audio(KINDS[kind](path)) == want).all()


def test_the_caller_keeps_the_position(path: Path) -> None:
    with path.open("rb") as file, open_source(file).binary() as stream:
        file.seek(1000)
        stream.read(5000)
        assert file.read(10) == DATA[1000:1010]


def test_a_stream_is_read_once(path: Path) -> None:
    file = sent(path).makefile("rb")
    assert read(file) == DATA
    with pytest.raises(SourceError, match="read only once"):
        open_source(file)


def test_a_file_outlives_its_object(path: Path) -> None:
    file = path.open("rb")
    opened = open_source(file)
    file.close()
    path.unlink()
    with opened.binary() as stream:
        assert stream.read() == DATA


def test_the_limit_holds_for_streams(path: Path) -> None:
    with pytest.raises(LimitError):
        open_source(sent(path), Limits(max_bytes=1000))


class Returns:
    def __init__(self, value: object) -> None:
        self.value = value

    def read(self, size: int = -1) -> object:
        return self.value


class Asynchronous:
    async def read(self, size: int = -1) -> bytes:
        await asyncio.sleep(0)
        return b""


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        (Returns("text"), "returns text"),
        (Returns(None), "no data yet"),
        (Returns(3), "returns int, not bytes"),
        (Asynchronous(), "asynchronous"),
    ],
)
def test_what_read_must_return(file: object, problem: str) -> None:
    with pytest.raises(SourceError, match=problem):
        open_source(file)


def test_a_closed_map(path: Path) -> None:
    file = mapped(path)
    file.close()
    with pytest.raises(InputError, match="closed"):
        open_source(file)


def test_an_upload_of_a_web_framework(path: Path) -> None:
    class Upload(Asynchronous):
        file = path.open("rb")
        filename = "it"

    assert read(Upload()) == DATA


def test_descriptors_are_given_back(path: Path) -> None:
    with path.open("rb") as file:
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            open_source(file)
        assert len(os.listdir("/proc/self/fd")) <= before + 1
