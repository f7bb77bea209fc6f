"""``bindrt.Client`` beside a server that says what a test wants: retries, errors, what is sent."""

from __future__ import annotations

import asyncio
import base64
import email.utils
import io
import json
import subprocess
import sys
import threading
import time
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt.client import connections
from support.embedding import DEPTH, PHOTO
from support.stub_server import Asked, Reply, stub

DIM = 4


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each wait between two tries would have been; none is waited for."""
    found: list[float] = []

    def wait(self: connections.Call, seconds: float) -> None:
        self.require()
        found.append(seconds)

    monkeypatch.setattr(connections.Call, "wait", wait)
    return found


def encoded(vector: np.ndarray) -> str:
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()


def parts_of(asked: Asked) -> list[Any]:
    """The parts of a form."""
    head = f"Content-Type: {asked.headers['Content-Type']}\r\n\r\n".encode()
    return list(BytesParser(policy=HTTP).parsebytes(head + asked.body).iter_parts())


def items_of(asked: Asked, modality: str) -> list[Any]:
    names = [(part, part.get_param("name", header="content-disposition")) for part in parts_of(asked)]
    return [part for part, name in names if name == modality]


def answer(asked: Asked) -> Reply:
    """A server whose vectors count the items of a request: [1, 0, 0, 0], [2, 0, 0, 0], …"""
    if asked.path == "/v1/models":
        card = {
            "id": "tiny",
            "modalities": ["image", "text"],
            "dimensions": DIM,
            "space": "s",
            "text_scale": 10.0,
        }
        return Reply(content={"object": "list", "data": [card]})
    if asked.path == "/v1/embeddings":
        texts = json.loads(asked.body)["input"]
        data = [{"index": i, "embedding": encoded(np.eye(DIM)[i % DIM])} for i in range(len(texts))]
        return Reply(content={"data": data[::-1], "space": "s"})
    modality = parts_of(asked)[-1].get_param("name", header="content-disposition")
    vectors = [encoded(np.eye(DIM)[i % DIM]) for i in range(len(items_of(asked, modality)))]
    return Reply(
        content={
            "embeddings": {modality: vectors},
            "space": "s",
            "notes": [{"item": f"{modality}[0]", "a": 1}],
        }
    )


def test_texts_and_files() -> None:
    with stub(answer) as server, bindrt.Client(server.url, api_key="secret", model="tiny") as client:
        found = client.embed(text=["a", "b"], image=[PHOTO, PHOTO.read_bytes()])
    assert found.text.tolist() == found.image.tolist() == [[1, 0, 0, 0], [0, 1, 0, 0]]
    assert (list(found), found.space, found.normalized) == (["image", "text"], "s", True)
    assert found.notes == {("image", 0): {"a": 1}}
    assert found.source("image", 0) == str(PHOTO)
    by_path = {asked.path: asked for asked in server.asked}
    assert json.loads(by_path["/v1/embeddings"].body) == {
        "encoding_format": "base64", "model": "tiny", "input": ["a", "b"],
    }  # fmt: skip
    files = items_of(by_path["/v1/embed"], "image")
    assert [part.get_payload(decode=True) for part in files] == [PHOTO.read_bytes()] * 2
    assert all(asked.headers["Authorization"] == "Bearer secret" for asked in server.asked)


def test_what_is_no_plain_file_is_prepared_here() -> None:
    waveform = np.zeros(16000, np.float32)
    items = {
        "image": [np.zeros((40, 40, 3), np.uint8), bindrt.Image(PHOTO, exif=True)],
        "audio": bindrt.Audio(waveform, rate=16000),
        "depth": bindrt.Depth(DEPTH, unit="m"),
        "text": [bindrt.Prepared(bindrt.preprocess.text(["a"])[0])],
    }
    expected = {
        "image": [bindrt.preprocess.image(item)[None] for item in items["image"]],
        "audio": [bindrt.preprocess.audio(items["audio"])[:1]],  # its clips are equal
        "depth": [bindrt.preprocess.depth(DEPTH, unit="m")[None]],
        "text": [bindrt.preprocess.text(["a"])],
    }
    with stub(answer) as server, bindrt.Client(server.url) as client:
        client.embed(**items)
    for asked in server.asked:
        modality = parts_of(asked)[-1].get_param("name", header="content-disposition")
        sent = items_of(asked, modality)
        assert [part.get_content_type() for part in sent] == ["application/x-npy"] * len(sent)
        arrays = [np.load(io.BytesIO(part.get_payload(decode=True))) for part in sent]
        for found, wanted in zip(arrays, expected.pop(modality), strict=True):
            np.testing.assert_array_equal(found, wanted)
    assert not expected


def test_many_items_are_several_requests_in_order() -> None:
    with stub(answer) as server, bindrt.Client(server.url, batch=3, connections=2) as client:
        found = client.embed(text=[str(i) for i in range(10)])
        again = asyncio.run(client.aembed(text=[str(i) for i in range(10)]))
    rows = np.tile(np.eye(DIM)[:3], (4, 1))[:10]
    assert found.text.tolist() == again.text.tolist() == rows.tolist()
    assert sorted(json.loads(asked.body)["input"][0] for asked in server.asked[:4]) == ["0", "3", "6", "9"]


def test_a_large_file_is_prepared_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bindrt.client.uploads.MOST_FILE", 1000)
    monkeypatch.setattr("bindrt.client.uploads.MOST_BODY", 1000)
    with stub(answer) as server, bindrt.Client(server.url) as client:
        assert client.embed(image=[PHOTO, PHOTO]).image.tolist() == [[1, 0, 0, 0]] * 2
    assert len(server.asked) == 2, "each body has one of them"
    assert items_of(server.asked[0], "image")[0].get_content_type() == "application/x-npy"


def test_classify() -> None:
    with stub(answer) as server, bindrt.Client(server.url) as client:
        scores = client.classify(image=[PHOTO], labels=["a", "b"])
        assert client.modalities == ("image", "text")
        assert client.embed(text=[]).text.shape == (0, DIM)
    expected = np.exp([10.0, 0.0]) / np.exp([10.0, 0.0]).sum()
    np.testing.assert_allclose(scores, [expected], rtol=1e-6)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again(status: int, waits: list[float]) -> None:
    replies = [Reply(status, {"error": "busy"}, {"Retry-After": "3"}), Reply(status, {"error": "busy"})]
    with (
        stub(lambda asked: replies.pop(0) if replies else answer(asked)) as server,
        bindrt.Client(server.url) as client,
    ):
        assert client.embed(text="a").text.shape == (1, DIM)
    assert len(server.asked) == 3
    assert 3 <= waits[0] <= 3 + connections.FIRST_WAIT
    assert 0 <= waits[1] <= 2 * connections.FIRST_WAIT


def test_a_server_that_stays_busy(waits: list[float]) -> None:
    error = {"error": {"message": "image: 9 items wait already; try again later", "code": "Overloaded"}}
    with (
        stub(lambda asked: Reply(429, error)) as server,
        bindrt.Client(server.url, retries=2) as client,
        pytest.raises(bindrt.Overloaded, match="9 items wait already"),
    ):
        client.embed(text="a")
    assert (len(server.asked), len(waits)) == (3, 2)


def test_a_wait_that_is_too_long(waits: list[float]) -> None:
    reply = Reply(503, {"error": "closed"}, {"Retry-After": "3600"})
    with (
        stub(lambda asked: reply) as server,
        bindrt.Client(server.url) as client,
        pytest.raises(bindrt.Overloaded, match="closed"),
    ):
        client.embed(text="a")
    assert (len(server.asked), waits) == (1, [])


def test_retry_after_as_a_date() -> None:
    in_a_day = email.utils.formatdate(time.time() + 86_400, usegmt=True)
    assert 80_000 < (connections.seconds_of(in_a_day) or 0) < 90_000
    assert connections.seconds_of("Thu, 01 Jan 1970 00:00:00 GMT") == 0


def test_a_connection_that_was_closed_while_idle(waits: list[float]) -> None:
    """The server closes it after the first answer, without saying so."""
    served: list[str] = []

    def reply(asked: Asked) -> Reply | None:
        served.append(asked.path)
        return None if len(served) == 2 else answer(asked)

    with stub(reply) as server, bindrt.Client(server.url, retries=0) as client:
        client.embed(text="a")
        assert client.embed(text="b").text.shape == (1, DIM)
    assert len(server.asked) == 3
    assert waits == []


def test_no_server(waits: list[float]) -> None:
    with stub(answer) as server:
        pass
    with bindrt.Client(server.url, retries=3) as client, pytest.raises(bindrt.Error) as caught:
        client.embed(text="a")
    assert caught.value.item == server.url
    assert "cannot be reached (Connection refused); is bind-serve running there?" in str(caught.value)
    assert len(waits) == 3


def test_a_server_that_does_not_answer() -> None:
    ended = threading.Event()

    def reply(asked: Asked) -> None:
        ended.wait(60)

    with stub(reply) as server, bindrt.Client(server.url, timeout=0.2) as client:
        with pytest.raises(bindrt.DeadlineExceeded, match=r"no answer within 0\.2 s"):
            client.embed(text="a")
        ended.set()


@pytest.mark.parametrize(
    ("status", "error", "kind", "text"),
    [
        (400, {"error": {"message": "input[1] 'b': too long; cut it", "code": "InputError"}},
         bindrt.InputError, "text[4] 'y': input[1] 'b': too long; cut it"),
        (400, {"error": {"message": "…", "code": "SourceError", "place": "input[0]", "item": "?",
                         "problem": "bad", "remedy": "mend it"}},
         bindrt.SourceError, "text[3] 'x': bad; mend it"),
        (413, {"error": "the body: it has more than 9 bytes"}, bindrt.LimitError, "it has more than 9 bytes"),
        (401, {"error": {"message": "no key"}}, bindrt.OptionError, "no key"),
        (504, {}, bindrt.DeadlineExceeded, "the server answered 504"),
        (500, b"<html>", bindrt.EngineError, "the server answered 500"),
        (200, b"<html>", bindrt.EngineError, "not an answer of bind-serve: it is no JSON object"),
        (200, {"data": []}, bindrt.EngineError, "it has not one vector an item"),
        (200, {"data": [{"index": 0, "embedding": "%"}] * 2}, bindrt.EngineError,
         "it has not one vector an item"),
        (200, {"data": 3}, bindrt.EngineError, "it has not one vector an item"),
        (400, {"error": {"code": "KeyError", "message": "x"}}, bindrt.InputError, "x"),
    ],
)  # fmt: skip
def test_errors_are_those_of_bindrt(status: int, error: Any, kind: type[bindrt.Error], text: str) -> None:
    def reply(asked: Asked) -> Reply:
        return Reply(status, error) if b'"x"' in asked.body else answer(asked)

    with (
        stub(reply) as server,
        bindrt.Client(server.url, batch=3) as client,
        pytest.raises(bindrt.Error) as caught,
    ):
        client.embed(text=["a", "b", "c", "x", "y"])
    assert type(caught.value) is kind
    assert text in str(caught.value)


def test_bad_items_are_skipped() -> None:
    def reply(asked: Asked) -> Reply:
        errors = [{"place": "image[1]", "code": "SourceError", "problem": "damaged", "remedy": "mend it"}]
        vectors = [encoded(np.ones(DIM)), None]
        return Reply(content={"embeddings": {"image": vectors}, "errors": errors, "space": "s"})

    with stub(reply) as server, bindrt.Client(server.url) as client:
        found = client.embed(image=["missing.jpg", PHOTO, b"damaged"], on_error="skip")
    assert {place: str(error) for place, error in found.errors.items()} == {
        ("image", 0): "image[0] 'missing.jpg': there is no such file; check the path",
        ("image", 2): "image[2] <bytes, 7 B>: damaged; mend it",
    }
    assert np.isnan(found.image).all(axis=1).tolist() == [True, False, True]


def test_a_bad_item_here_is_raised_and_nothing_is_sent() -> None:
    with stub(answer) as server, bindrt.Client(server.url) as client:
        with pytest.raises(bindrt.SourceError, match=r"image\[0\] 'missing.jpg': there is no such file"):
            client.embed(image=["missing.jpg", PHOTO])
        assert server.asked == []
        with pytest.raises(bindrt.InputError, match="bare waveform"):
            client.embed(audio=np.zeros(16000, np.float32))
    assert server.asked == []


def test_options_travel() -> None:
    with stub(answer) as server, bindrt.Client(server.url) as client:
        client.embed(image=PHOTO, normalize=False, priority=5, deadline=2.5, on_error="skip")
    (asked,) = server.asked
    fields = {
        part.get_param("name", header="content-disposition"): part.get_content()
        for part in parts_of(asked)[:-1]
    }
    assert {name: text.strip() for name, text in fields.items()} == {
        "encoding_format": "base64", "normalize": "false", "on_error": "skip",
    }  # fmt: skip
    assert (asked.headers["X-Priority"], asked.headers["X-Deadline"]) == ("5", "2.5")


def test_a_cancelled_task_hangs_up() -> None:
    asked_for, hung_up = threading.Event(), threading.Event()

    def reply(asked: Asked) -> Reply | None:
        asked_for.set()
        hung_up.wait(60)
        return None

    async def cancelled(client: bindrt.Client) -> None:
        task = asyncio.create_task(client.aembed(text="a"))
        await asyncio.to_thread(asked_for.wait, 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with stub(reply) as server:
        client = bindrt.Client(server.url, timeout=600, retries=0)
        asyncio.run(cancelled(client))
        client.close()  # it waits for its threads: the cancelled call has ended, though no answer came
        hung_up.set()


@pytest.mark.parametrize(
    "url", ["", "host:8000", "ftp://host", "http://", "http://host:x", "http://h/?a=1", None]
)
def test_urls_that_are_none(url: Any) -> None:
    with pytest.raises(bindrt.OptionError, match="not a server's URL"):
        bindrt.Client(url)


@pytest.mark.parametrize(
    "options", [{"timeout": 0}, {"retries": -1}, {"batch": 0}, {"connections": 0}, {"timeout": float("nan")}]
)
def test_options_that_are_none(options: dict[str, Any]) -> None:
    with pytest.raises(bindrt.OptionError):
        bindrt.Client("http://127.0.0.1:1", **options)


def test_a_closed_client() -> None:
    with stub(answer) as server:
        client = bindrt.Client(server.url)
        client.close()
        with pytest.raises(bindrt.ClosedError, match="the client was closed"):
            client.embed(text="a")


def test_http_is_imported_when_asked_for(tmp_path: Path) -> None:
    code = "import sys, bindrt; print([m for m in ('http.client', 'ssl', 'asyncio') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
