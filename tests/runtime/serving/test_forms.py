"""Files as a form, as ``curl -F`` sends them."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import bindrt
from bindrt.serving.forms import FormPart
from support.serving import Running, answer_on, form


def test_files_and_texts(server: Running, served_model: bindrt.Model, media: dict[str, bytes]) -> None:
    body, headers = form(
        ("image", "a.jpg", media["image"]),
        ("text", None, b"a bell ringing"),
        ("image", "b.jpg", media["image"]),
        ("text", None, "ein Zug fährt".encode()),
    )
    found = server.ask("POST", "/v1/embed", body, headers)
    assert found.status == 200, found.body
    expected = served_model.embed(image=[media["image"]] * 2, text=["a bell ringing", "ein Zug fährt"])
    for modality in ("image", "text"):
        assert np.allclose(found.json["embeddings"][modality], expected[modality], atol=1e-5)
    assert (found.json["model"], found.json["space"]) == ("tiny", served_model.space)
    assert found.json["normalized"] is True


def test_options(server: Running, served_model: bindrt.Model, media: dict[str, bytes]) -> None:
    body, headers = form(
        ("depth", "d.png", media["depth"]), ("image", "a.jpg", media["image"]), ("unit", None, b"m"),
        ("normalize", None, b"false"), ("model", None, b"tiny"),
    )  # fmt: skip
    found = server.ask("POST", "/v1/embed", body, headers).json["embeddings"]
    expected = served_model.embed(depth=bindrt.Depth(media["depth"], unit="m"), normalize=False)
    assert np.allclose(found["depth"], expected.depth, rtol=1e-4, atol=1e-4)


def test_notes_are_told(server: Running) -> None:
    body, headers = form(("text", None, b"a zyzzyva quux"))
    (note,) = server.ask("POST", "/v1/embed", body, headers).json["notes"]
    assert note["item"] == "text[0]"
    assert "unknown_words" in note


def test_bad_items_are_skipped_if_that_is_asked(
    server: Running, served_model: bindrt.Model, media: dict[str, bytes]
) -> None:
    body, headers = form(
        ("image", "a.jpg", b"no picture"), ("image", "b.jpg", media["image"]), ("on_error", None, b"skip")
    )
    found = server.ask("POST", "/v1/embed", body, headers).json
    assert found["embeddings"]["image"][0] is None
    assert np.allclose(
        found["embeddings"]["image"][1], served_model.embed(image=media["image"]).image[0], atol=1e-5
    )
    (error,) = found["errors"]
    assert (error["place"], error["code"]) == ("image[0]", "SourceError")
    assert error["problem"]


def test_input_that_is_ready(server: Running, served_model: bindrt.Model, media: dict[str, bytes]) -> None:
    """``[V, …]`` of NumPy's are the views of an item; one view may stand without its axis."""
    import io

    parts = b""
    for array in (bindrt.preprocess.audio(media["audio"]), bindrt.preprocess.audio(media["audio"])[0]):
        out = io.BytesIO()
        np.save(out, array)
        head = (
            b'Content-Disposition: form-data; name="audio"; filename="a"\r\nContent-Type: application/x-npy'
        )
        parts += b"--x\r\n" + head + b"\r\n\r\n" + out.getvalue() + b"\r\n"
    headers = {"content-type": "multipart/form-data; boundary=x"}
    found = server.ask("POST", "/v1/embed", parts + b"--x--\r\n", headers)
    assert found.status == 200, found.body
    first, second = found.json["embeddings"]["audio"]
    assert np.allclose(first, served_model.embed(audio=media["audio"]).audio[0], atol=1e-5)
    assert len(second) == served_model.embed_dim


def test_a_form_in_small_pieces(server: Running, media: dict[str, bytes]) -> None:
    """Boundaries and headers may be cut anywhere."""
    body, headers = form(("image", "a.jpg", media["image"]), ("text", None, b"a bell"))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    import socket

    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(
            f"POST /v1/embed HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode()
        )
        for at in range(0, 200):
            connection.sendall(body[at : at + 1])
        connection.sendall(body[200:])
        assert answer_on(connection).status == 200


def test_tiny_pieces_take_no_more_memory_than_their_bytes() -> None:
    """A client that sends single bytes cannot fill the memory with objects."""
    chunks = [bytes([at % 256]) for at in range(100_000)]
    part = FormPart()
    tracemalloc.start()
    try:
        for chunk in chunks:
            part.add(chunk, 0, 1)
        assert tracemalloc.get_traced_memory()[0] < 300_000
    finally:
        tracemalloc.stop()
    assert part.size == 100_000
    assert part.take() == b"".join(chunks)
    assert (part.size, part.take()) == (0, b"")


def test_a_part_that_is_whole_keeps_no_chunk_of_the_body() -> None:
    """Their memory is used for the chunks that follow."""
    chunk = bytes(10_000)
    kept = sys.getrefcount(chunk)
    part = FormPart()
    part.add(chunk, 0, 5000)
    part.add(chunk, 5000, 10_000)
    assert sys.getrefcount(chunk) > kept
    part.end()
    assert sys.getrefcount(chunk) == kept
    assert part.take() == chunk


def test_pieces_of_all_sizes_follow_each_other() -> None:
    rng = random.Random(1)
    data = rng.randbytes(300_000)
    part, at = FormPart(), 0
    while at < len(data):
        end = min(at + rng.choice((1, 100, 4095, 4096, 30_000)), len(data))
        part.add(data[:end], at, end)
        at = end
    assert part.size == len(data)
    assert part.take() == data


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([("smell", None, b"x")], "no modality has no option 'smell'"),
        (
            [("image", None, b"bell.jpg")],
            "image[0]: it is the text 'bell.jpg', not a file; curl -F image=@FILE",
        ),
        ([("text", None, b"a"), ("unit", None, b"mm")], "only depth, thermal files have this option"),
        ([("depth", "d.png", b"x"), ("unit", None, b"ell")], "unit is 'ell'"),
        ([("image", "a.jpg", b"x")], "image[0] <bytes, 1 B>"),
        ([("image", "a.jpg", b"")], "image[0]"),
        ([("text", None, b"a"), ("normalize", None, b"maybe")], "normalize: 'maybe' is not true or false"),
        ([("text", None, b"a"), ("encoding_format", None, b"hex")], "encoding_format: there is no 'hex'"),
        ([], "it has no items"),
    ],
    ids=str,
)
def test_errors(server: Running, parts: list[tuple[str, str | None, bytes]], said: str) -> None:
    found = server.ask("POST", "/v1/embed", *form(*parts))
    assert found.status == 400, found.body
    assert said in found.json["error"]["message"]


def test_a_cut_form_is_an_error(server: Running) -> None:
    body, headers = form(("text", None, b"a bell"), ("text", None, b"a car"))
    for end in (0, 10, len(body) // 2, len(body) - 4):
        found = server.ask("POST", "/v1/embed", body[:end], headers)
        assert found.status == 400
        assert "the form ends too early" in found.json["error"]["message"]


def test_what_is_no_form(server: Running) -> None:
    for kind in ("text/plain", "multipart/form-data", ""):
        assert server.ask("POST", "/v1/embed", b"{}", {"content-type": kind}).status == 415


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl(server: Running, served_model: bindrt.Model, media: dict[str, bytes], tmp_path: Path) -> None:
    import json

    path = tmp_path / "bell.wav"
    path.write_bytes(media["audio"])
    fields = ["-F", f"audio=@{path}", "-F", "text=a bell ringing"]
    done = subprocess.run(
        ["curl", "-s", *fields, f"{server.url}/v1/embed"], capture_output=True, check=True, timeout=120
    )
    found = json.loads(done.stdout)["embeddings"]
    expected = served_model.embed(audio=media["audio"], text="a bell ringing")
    assert np.allclose(found["audio"], expected.audio, atol=1e-5)
    assert np.allclose(found["text"], expected.text, atol=1e-5)
