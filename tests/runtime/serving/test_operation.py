"""What holds for requests of every protocol: limits, keys, overload, hanging up, and what is told."""

from __future__ import annotations

import gc
import gzip
import json
import logging
import resource
import socket
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt.errors import Error, OptionError
from bindrt.serving import ServeOptions, app
from bindrt.serving.exchange import Exchange
from bindrt.serving.faults import Fault
from bindrt.serving.forms import FormPart
from bindrt.serving.replies import json_value
from bindrt.serving.service import Service
from support.serving import Answer, Running, answer_on, counts, form, gated, running, wait_for


def test_past_the_queue_is_429(pool: ThreadPoolExecutor) -> None:
    with gated(ServeOptions(queue=4, max_items=4)) as (server, engine, _):
        engine.gate.clear()
        first = pool.submit(server.post, "/v1/embeddings", {"input": ["a", "b", "c"]})
        assert engine.entered.wait(60)
        refused = server.post("/v1/embeddings", {"input": ["d", "e"]})
        assert refused.status == 429
        assert refused.headers["retry-after"] == "1"
        assert refused.json["error"]["type"] == "rate_limit_error"
        assert "3 items wait already" in refused.json["error"]["message"]
        assert server.post("/vectorize", {"texts": ["d", "e"]}).json == {
            "error": "text: 3 items wait already; try again later, or send fewer"
        }
        second = pool.submit(server.post, "/v1/embeddings", {"input": ["d"]})  # for this one there is room
        engine.gate.set()
        assert [first.result().status, second.result().status] == [200, 200]
        assert server.post("/v1/embeddings", {"input": ["d", "e"]}).status == 200


def test_who_hangs_up_is_not_computed_for() -> None:
    with gated() as (server, engine, model):
        engine.gate.clear()
        body = json.dumps({"input": [f"text {i}" for i in range(600)]}).encode()
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            head = f"POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)
            assert engine.entered.wait(60)
        wait_for(lambda: "bindrt_http_requests_in_flight 0.0" in metrics(server, but=1))
        engine.gate.set()
        wait_for(lambda: counts(model)["rows_in_flight"] == 0)
        assert counts(model)["cancelled"] > 0
        assert server.post("/v1/embeddings", {"input": "a"}).status == 200
        assert 'bindrt_http_requests_total{protocol="openai",status="499"} 1.0' in metrics(server)


def test_a_request_is_forgotten_without_the_collector_of_cycles(
    server: Running, media: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bodies that wait for it fill the memory: it seldom comes where many objects live."""
    made: list[weakref.ref[object]] = []
    for kind, begin in ((Exchange, Exchange.__init__), (FormPart, FormPart.__init__)):

        def begins(self: Any, *given: Any, begin: Any = begin, **named: Any) -> None:
            made.append(weakref.ref(self))
            begin(self, *given, **named)

        monkeypatch.setattr(kind, "__init__", begins)
    gc.collect()
    gc.disable()
    try:
        assert server.ask("POST", "/v1/embed", *form(("audio", "x.wav", media["audio"]))).status == 200
        assert server.post("/v1/embeddings", {"input": "a bell"}).status == 200
        assert server.post("/v1/embeddings", {"input": 1}).status == 400
        wait_for(lambda: all(each() is None for each in made))
    finally:
        gc.enable()
    assert len(made) >= 4  # three requests, and a part of the first


def metrics(server: Running, but: int = 0) -> str:
    """The metrics; ``but`` requests in flight, that which asks for them, are taken off."""
    text = server.ask("GET", "/metrics").body.decode()
    return text.replace(f"in_flight {float(but)}", "in_flight 0.0") if but else text


def test_a_body_that_says_it_is_too_long_is_not_read(served_model: bindrt.Model) -> None:
    with running(served_model, ServeOptions(max_body=1000)) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            head = "POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000000\r\n\r\n"
            connection.sendall(head.encode())  # and nothing of the body
            assert answer_on(connection).status == 413
        found = server.post("/v1/embeddings", {"input": "x" * 2000})
        assert found.status == 413
        assert "it has more than 1000 bytes" in found.json["error"]["message"]


MANY_TEXTS = ["a"] * 2049
PART = {"type": "text", "text": "a"}


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/v1/embeddings", {"messages": [{"content": "a"}, {"content": [PART] * 2048}]}),
        ("/vectorize", {"texts": MANY_TEXTS, "images": None}),
        ("/vectorize", {"texts": MANY_TEXTS[1:], "images": ["aGk="]}),
        ("/v2/embed", {"inputs": [{"content": [PART] * 2000}, {"content": [PART] * 49}]}),
        ("/v1/embed", {"text": MANY_TEXTS}),
        ("/v1/similarity", {"text": MANY_TEXTS[1:], "image": "data:,x"}),
        ("/v2/models/text/infer",
         {"inputs": [{"name": "data", "datatype": "BYTES", "shape": [1, 2049], "data": MANY_TEXTS}]}),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_too_many_items_are_counted_before_they_are_made(
    server: Running, path: str, asked: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    monkeypatch.setattr(Service, "text", lambda _, text, place: made.append(place))
    found = server.post(path, asked)
    assert found.status == 413, found.body
    assert "2049 items" in found.body.decode()
    assert made == []


@pytest.mark.parametrize("value", [b"[]", b"{}", b'"a"', b"1", b"[[1],[2]]"])
def test_json_of_too_many_values(value: bytes) -> None:
    with pytest.raises(Fault, match="it has more than 1000 values"):
        json_value(b"[" + b",".join([value] * 1001) + b"]", list, most=1000)
    assert len(json_value(b"[" + b",".join([value] * 200) + b"]", list, most=1000)) == 200


def test_a_body_of_too_many_values(server: Running) -> None:
    found = server.ask("POST", "/v1/embeddings", b'{"input":[' + b"[]," * (1 << 20) + b"[]]}")
    assert found.status == 413
    assert found.json["error"]["message"].startswith("the body: it has more than 1048576 values")


def test_a_compressed_body_is_refused(server: Running) -> None:
    body = gzip.compress(b'{"input": "a bell"}')
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    found = server.ask("POST", "/v1/embeddings", body, headers)
    assert found.status == 415
    assert found.json["error"]["message"] == "the body: it is compressed (gzip); send it as it is"
    headers["content-encoding"] = "identity"
    assert server.ask("POST", "/v1/embeddings", b'{"input": "a bell"}', headers).status == 200


def test_a_body_without_a_length_is_cut_off(served_model: bindrt.Model) -> None:
    head = b"POST /vectorize HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with (
        running(served_model, ServeOptions(max_body=1000)) as server,
        socket.create_connection(("127.0.0.1", server.port)) as connection,
    ):
        connection.sendall(head + (b"64\r\n" + b"x" * 100 + b"\r\n") * 11)
        answer = answer_on(connection)
    assert answer.status == 413
    assert answer.json["error"].startswith("the body: it has more than 1000 bytes")


def test_bodies_of_others_fill_the_memory(served_model: bindrt.Model) -> None:
    with running(served_model, ServeOptions(max_bodies=1000)) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            head = "POST /vectorize HTTP/1.1\r\nHost: x\r\nContent-Length: 901\r\n\r\n"
            connection.sendall(head.encode() + b"x" * 900)
            body = {"input": "y" * 200}
            wait_for(lambda: server.post("/v1/embeddings", body).status == 429)
        wait_for(lambda: server.post("/v1/embeddings", body).status == 200)


def test_a_slow_body_is_given_up(served_model: bindrt.Model) -> None:
    with (
        running(served_model, ServeOptions(body_seconds=0.2)) as server,
        socket.create_connection(("127.0.0.1", server.port)) as connection,
    ):
        connection.sendall(b"POST /vectorize HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        answer = answer_on(connection)
        assert answer.status == 408
        assert answer.json == {"error": "the body did not come within 0.2 seconds"}
        assert connection.recv(100) == b""  # and closes


def test_keys(served_model: bindrt.Model) -> None:
    with running(served_model, ServeOptions(api_keys=("secret", "other"))) as server:
        asked = {"input": "a"}
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic secret"}):
            found = server.post("/v1/embeddings", asked, headers)
            assert found.status == 401
            assert found.json["error"]["type"] == "authentication_error"
            assert found.headers["www-authenticate"] == "Bearer"
        for headers in ({"authorization": "bearer secret"}, {"x-api-key": "other"}):
            assert server.post("/v1/embeddings", asked, headers).status == 200
        assert server.ask("GET", "/metrics").status == 401
        assert server.ask("GET", "/live").status == 200
        assert server.ask("GET", "/ready").status == 200
        assert server.ask("GET", "/.well-known/ready").status == 204


def test_pages_of_other_origins_may_not_ask(server: Running, served_model: bindrt.Model) -> None:
    headers = {"origin": "https://page.example", "access-control-request-method": "POST"}
    assert "access-control-allow-origin" not in server.ask("GET", "/live", None, headers).headers
    with running(served_model, ServeOptions(origins=("https://page.example",))) as own:
        allowed = own.ask("OPTIONS", "/v1/embeddings", None, headers)
        assert allowed.status == 200
        assert allowed.headers["access-control-allow-origin"] == "https://page.example"
        other = own.ask("GET", "/live", None, {"origin": "https://other.example"})
        assert "access-control-allow-origin" not in other.headers


def test_headers_that_are_too_long(server: Running) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"GET /live HTTP/1.1\r\nHost: x\r\nX: ")
        try:
            for _ in range(1000):
                connection.sendall(b"x" * 100_000)
            raise AssertionError("the server takes headers of any length")
        except (BrokenPipeError, ConnectionResetError):
            pass
    assert server.is_ready()


def test_headers_that_do_not_come(served_model: bindrt.Model) -> None:
    with (
        running(served_model, keep_alive=0.2) as server,
        socket.create_connection(("127.0.0.1", server.port)) as connection,
    ):
        connection.sendall(b"GET /live HTTP/1.1\r\n")
        assert connection.recv(100) == b""  # closed


def test_callers_share_batches(pool: ThreadPoolExecutor) -> None:
    with gated() as (server, engine, model):
        engine.gate.clear()
        first = pool.submit(server.post, "/v1/embeddings", {"input": "one two"})
        assert engine.entered.wait(60)
        others = [pool.submit(server.post, "/vectorize", {"texts": [f"text {i}"]}) for i in range(3)]
        wait_for(lambda: counts(model)["rows_in_flight"] == 4)
        engine.gate.set()
        assert [each.result().status for each in [first, *others]] == [200] * 4
        wait_for(lambda: counts(model)["done"] == 4)
        assert counts(model)["batches"] == 2


def test_deadlines_and_priorities_of_headers(pool: ThreadPoolExecutor) -> None:
    with gated() as (server, engine, _):
        engine.gate.clear()
        first = pool.submit(server.post, "/v1/embeddings", {"input": "one two"})
        assert engine.entered.wait(60)
        late = server.post("/v1/embeddings", {"input": "a car"}, {"X-Deadline": "0.05"})
        assert late.status == 504
        assert late.json["error"]["code"] == "DeadlineExceeded"
        engine.gate.set()
        assert first.result().status == 200
        assert (
            server.post("/vectorize", {"texts": ["a"]}, {"X-Deadline": "60", "X-Priority": "-5"}).status
            == 200
        )
        for headers in (
            {"X-Deadline": "soon"},
            {"X-Deadline": "nan"},
            {"X-Priority": "1.5"},
            {"X-Priority": "9999"},
        ):
            assert server.post("/vectorize", {"texts": ["a"]}, headers).status == 400, headers


def test_paths_and_methods_that_do_not_exist(server: Running) -> None:
    missing = server.ask("GET", "/v1/nothing").json["error"]
    assert (missing["message"], missing["code"]) == ("GET /v1/nothing: Not Found", "NotFound")
    wrong = server.ask("GET", "/v1/embeddings")
    assert wrong.json["error"]["code"] == "MethodNotAllowed"
    assert (wrong.status, wrong.headers["allow"]) == (405, "POST")
    assert server.ask("GET", "/nothing").json["error"]["message"] == "GET /nothing: Not Found"


def test_log_without_contents(
    server: Running, caplog: pytest.LogCaptureFixture, media: dict[str, bytes]
) -> None:
    with caplog.at_level(logging.INFO, "bindrt.serving.access"):
        server.post("/v1/embeddings?key=secret", {"input": ["my secret", "b"]})
        server.ask("POST", "/v1/embed", *form(("image", "secret.jpg", media["image"])))
        wait_for(lambda: len(caplog.records) == 2)
    first, second = (json.loads(record.getMessage()) for record in caplog.records)
    assert (first["path"], first["status"], first["items"]) == ("/v1/embeddings", 200, 2)
    assert (first["protocol"], first["model"]) == ("openai", "tiny")
    assert second["bytes_in"] > len(media["image"])
    assert "secret" not in "".join(record.getMessage() for record in caplog.records)


def test_metrics_of_requests_and_of_the_pipeline(server: Running) -> None:
    server.post("/vectorize", {"texts": ["a"]})
    text = metrics(server)
    assert 'bindrt_http_requests_total{protocol="weaviate",status="200"}' in text
    assert 'bindrt_http_request_seconds_bucket{le="0.005",protocol="weaviate"}' in text
    assert 'bindrt_requests_submitted_total{modality="text",model="tiny"}' in text


def test_a_defect_of_ours_tells_nothing(
    served_model: bindrt.Model, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(**_: object) -> None:
        raise RuntimeError("secret of the server")

    with running(served_model) as server:
        monkeypatch.setattr(served_model, "aembed", broken)
        found = server.post("/v1/embeddings", {"input": "a"})
        assert found.status == 500
        assert "secret" not in found.body.decode()
        assert found.json["error"]["type"] == "server_error"
    assert "secret of the server" in caplog.text  # the log says it


def test_several_models_by_name(served_model: bindrt.Model) -> None:
    with (
        bindrt.load("tiny", engine="onnxruntime", modalities=["text"]) as second,
        running({"first": served_model, "second": second}) as server,
    ):
        assert [m["id"] for m in server.ask("GET", "/v1/models").json["data"]] == ["first", "second"]
        found = server.post("/v1/embeddings", {"input": "rain", "model": "second"}).json
        assert found["model"] == "second"
        assert np.allclose(found["data"][0]["embedding"], second.embed(text="rain").text[0], atol=1e-5)
        assert server.post("/v1/embeddings", {"input": "rain"}).json["model"] == "first"
        asked = {"input": "data:,x", "modality": "image", "model": "second"}
        wrong = server.post("/v1/embeddings", asked)
        assert wrong.status == 400
        assert "this model was not loaded with it" in wrong.json["error"]["message"]


def test_a_thousand_connections(server: Running) -> None:
    """They are held, and others are answered. Both ends of them are in this process."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most[1] < 3000:
        pytest.skip(f"a process may have {most[1]} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(most[0], 3000), most[1]))
    held = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(1000)]
    try:
        for connection in held[::100]:
            connection.sendall(b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
            assert answer_on(connection).status == 200
        assert server.post("/v1/embeddings", {"input": "a"}).status == 200
    finally:
        for connection in held:
            connection.close()
        wait_for(lambda: len(server.server.server_state.connections) < 100)
        resource.setrlimit(resource.RLIMIT_NOFILE, most)


@pytest.mark.parametrize(
    "options",
    [
        {"max_body": 0}, {"queue": 1.5}, {"max_items": 10, "queue": 9}, {"body_seconds": 0},
        {"api_keys": ("",)}, {"api_keys": "secret"}, {"api_keys": ("ü",)}, {"weaviate_scales": 1},
    ],
    ids=str,
)  # fmt: skip
def test_options_that_cannot_be(options: dict[str, object]) -> None:
    with pytest.raises(OptionError):
        ServeOptions(**options)  # type: ignore[arg-type]


def test_keys_are_not_shown() -> None:
    assert "secret" not in repr(ServeOptions(api_keys=("secret",)))


def test_what_is_no_model() -> None:
    for given in (None, {}, "tiny", {"": None}):
        with pytest.raises(OptionError):
            app(given)  # type: ignore[arg-type]


def test_an_address_in_use(server: Running) -> None:
    from bindrt.serving.running import Listening

    with pytest.raises(Error, match="cannot listen there: Address already in use"):
        Listening(port=server.port).bind()


def test_two_requests_at_once_on_one_loop(server: Running, pool: ThreadPoolExecutor) -> None:
    """Each gets its own answer."""
    texts = [f"number {i}" for i in range(40)]
    barrier = threading.Barrier(8)

    def ask(text: str) -> Answer:
        if texts.index(text) < 8:
            barrier.wait(60)
        return server.post("/v1/embeddings", {"input": text})

    together = server.post("/v1/embeddings", {"input": texts}).json["data"]
    for text, alone, expected in zip(texts, pool.map(ask, texts), together, strict=True):
        assert np.allclose(alone.json["data"][0]["embedding"], expected["embedding"], atol=1e-5), text
