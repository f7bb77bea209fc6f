"""Random damage to requests: no crash, no stall, no stack trace; ``ready`` and the neighbours stay right."""

from __future__ import annotations

import io
import json
import random
import resource
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import bindrt
from bindrt.index import Index
from bindrt.serving import ServeOptions
from support.damage import mutated, swapped
from support.serving import Running, form, in_base64, in_uri, running, wait_for

#: Requests of a run of `make test`, and of `make test-deep`.
FEW, MANY = 300, 10_000
Request = tuple[bytes, str, bytes, dict[str, str]]
JSON = {"content-type": "application/json"}
#: Bytes by which the process may grow while it is sent the last four fifths of many requests.
MOST_MORE = 64 << 20


@pytest.fixture(scope="module")
def attacked(served_model: bindrt.Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with an index."""
    path = tmp_path_factory.mktemp("index") / "things.index"
    made = Index(served_model.space, served_model.embed_dim)
    made.add(served_model.embed(text=["rain", "a train"]).text, ["rain", "a train"], "text")
    made.save(path)
    with running(served_model, ServeOptions(index=str(path), access_log=False)) as found:
        yield found


def wholes(media: dict[str, bytes]) -> list[tuple[str, dict[str, Any]]]:
    """Requests in JSON that are in order."""
    picture, uri = in_base64(media["image"]), in_uri(media["image"])
    texts = {"name": "data", "datatype": "BYTES", "shape": [2, 1], "data": [["a bell"], ["a car"]]}
    file = {"name": "data", "datatype": "BYTES", "shape": [1], "data": [picture]}
    ids = {"name": "tensor", "datatype": "INT64", "shape": [1, 77], "data": [[49406, 49407] + [0] * 75]}
    return [
        ("/v1/embeddings", {"input": ["a bell", "a car"], "encoding_format": "base64", "dimensions": 96}),
        ("/v1/embeddings", {"messages": [{"content": [{"type": "text", "text": "a"}]}], "model": "tiny"}),
        ("/vectorize", {"texts": ["a"], "images": [picture]}),
        ("/v2/embed", {"texts": ["a", "b"], "embedding_types": ["float", "int8"], "model": "tiny"}),
        ("/v2/embed", {"inputs": [{"content": [{"type": "image_url", "image_url": {"url": uri}}]}]}),
        ("/v2/models/text/infer", {"inputs": [texts], "parameters": {"priority": 1}, "id": "7"}),
        ("/v2/models/text/infer", {"inputs": [ids]}),
        ("/v2/models/tiny.image/infer", {"inputs": [file], "outputs": [{"name": "embedding"}]}),
        ("/v1/embed", {"text": ["a", "b"], "image": uri, "normalize": False}),
        ("/v1/classify", {"text": "a bell", "labels": ["a bell", "rain"], "templates": ["a {}"]}),
        ("/v1/similarity", {"text": ["a", "b"], "image": [uri]}),
        ("/v1/search", {"text": "rain", "k": 2, "only": "text", "min_score": -1}),
    ]


def broken_json(rng: random.Random, media: dict[str, bytes]) -> Request:
    path, content = rng.choice(wholes(media))
    return b"POST", path, rng.choice((mutated, swapped))(json.dumps(content).encode(), rng), JSON


def wrong_types(rng: random.Random, media: dict[str, bytes]) -> Request:
    path, content = rng.choice(wholes(media))
    odd = [None, True, -1, 10**30, 1e308, "", "x" * 5000, [], [[]], {}, {"a": {}}, [None], [{}], ["data:,"]]
    changed = {**content, rng.choice([*content, "modality", "options", "normalize"]): rng.choice(odd)}
    return b"POST", path, json.dumps(changed).encode(), JSON


def odd_tensors(rng: random.Random, media: dict[str, bytes]) -> Request:
    """Tensors of the Open Inference Protocol, as JSON or with binary data behind it."""
    numbers = [0, 1, -1, 2, 77, 2049, 2**31, 2**62, 10**400]
    shape = rng.choice(([1], [1, 1], [1, 77], [2**31] * 8, [2**62] * 5000, [rng.choice(numbers)] * 2))
    deep: list[Any] = ["a"]
    for _ in range(rng.randrange(200)):
        deep = [deep]
    data = rng.choice((["a"], deep, [0] * 77, ["a"] * 3000, [{}], [None, True], []))
    kind = rng.choice(("BYTES", "INT64", "FP32", "BF16"))
    one = {"name": rng.choice(("data", "tensor", "x" * 999)), "shape": shape, "datatype": kind}
    parameters = {rng.choice(("timeout", "priority", "unit", "normalize")): rng.choice(numbers[:6])}
    asked = {"inputs": [one] * rng.choice((0, 1, 1, 1, 2)), "parameters": parameters}
    path = f"/v2/models/{rng.choice(('text', 'image', 'tiny.imu'))}/infer"
    if rng.random() < 0.5:
        one["data"] = data
        return b"POST", path, json.dumps(asked).encode(), JSON
    raw = rng.randbytes(rng.choice((0, 3, 4, 48_000)))
    one["parameters"] = {"binary_data_size": rng.choice((len(raw), len(raw), 10**30, -1, 1.5))}
    head = json.dumps(asked).encode()
    length = rng.choice((len(head), len(head), 0, len(head) + 1, 10**15))
    return b"POST", path, head + raw, {"inference-header-content-length": str(length)}


def damaged_media(rng: random.Random, media: dict[str, bytes]) -> Request:
    modality = rng.choice([m for m in media if m != "video"])
    data = mutated(media[modality], rng, 0.2)
    if rng.random() < 0.5:
        body, headers = form((modality, "x", data))
        return b"POST", "/v1/embed", body, headers
    asked = {"input": [in_uri(data)], "modality": rng.choice([modality, modality, "image", "audio"])}
    return b"POST", "/v1/embeddings", json.dumps(asked).encode(), {}


def bad_base64(rng: random.Random, media: dict[str, bytes]) -> Request:
    text = in_base64(media["image"])[:400]
    at = rng.randrange(len(text))
    text = text[:at] + rng.choice(("!", "=", "\n", "é", "\0", "====")) + text[at:]
    return b"POST", "/vectorize", json.dumps({"images": [text]}).encode(), {}


def damaged_form(rng: random.Random, media: dict[str, bytes]) -> Request:
    body, headers = form(("text", None, b"a bell"), ("image", "a.jpg", media["image"][:500]))
    return b"POST", "/v1/embed", mutated(body, rng), headers


def odd_heads(rng: random.Random, media: dict[str, bytes]) -> Request:
    method = rng.choice((b"GET", b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"HEAD", b"FOO"))
    paths = (
        "/v1/embeddings",
        "/",
        "/v1/../x",
        "/%00",
        "/v1/models/%2e%2e/x",
        "/meta?a=%ff",
        "//",
        "/metrics",
    )
    kind = rng.choice(
        ("application/json", "multipart/form-data; boundary=", "multipart/form-data; boundary=x", "\xff")
    )
    return method, rng.choice(paths), rng.randbytes(rng.randrange(40)), {"content-type": kind}


DAMAGES: tuple[Callable[[random.Random, dict[str, bytes]], Request], ...] = (
    broken_json, wrong_types, odd_tensors, damaged_media, bad_base64, damaged_form, odd_heads,
)  # fmt: skip


def send(server: Running, request: Request, length: int | None = None, pieces: int = 1) -> bytes:
    """Sends a request as it stands, and reads until the server closes or has answered."""
    method, path, body, headers = request
    head = b"%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" % (method, path.encode("latin-1"))
    head += b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in headers.items())
    head += b"Content-Length: %d\r\n\r\n" % (len(body) if length is None else length)
    with socket.create_connection(("127.0.0.1", server.port), timeout=120) as connection:
        if pieces == 1:
            connection.sendall(head + body)
        else:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            whole, size = head + body, -(-len(head + body) // pieces)
            for at in range(0, len(whole), size):
                connection.sendall(whole[at : at + size])
        if length is not None and length > len(body):
            connection.shutdown(socket.SHUT_WR)  # no more comes
        answer = b""
        try:
            while more := connection.recv(1 << 16):
                answer += more
        except ConnectionResetError:
            pass
    return answer


def run(server: Running, model: bindrt.Model, media: dict[str, bytes], seeds: range) -> None:
    """While a hundred bodies never end, others are damaged: neighbours are answered, and nothing is kept."""
    expected = model.embed(text="a neighbour").text[0]
    service = server.server.config.app.state.service
    statuses, before = set(), 0
    with ExitStack() as slow:
        for _ in range(100):
            connection = slow.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            connection.sendall(b'POST /v1/embed HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n{"text":')
        for seed in seeds:
            rng = random.Random(seed)
            request = rng.choice(DAMAGES)(rng, media)
            is_read = request[3] is JSON  # before it is answered
            answer = send(server, request, pieces=rng.choice((1, 1, 1, 40)) if is_read else 1)
            assert answer.startswith(b"HTTP/1.1 "), f"seed {seed}: {answer[:200]!r}"
            status = int(answer[9:12])
            statuses.add(status)
            assert status < 500 or status == 504, f"seed {seed}: {answer[:400]!r}"
            assert b"Traceback" not in answer, f"seed {seed}"
            if status >= 400 and request[0] != b"HEAD" and b"application/json" in answer:
                told = json.loads(answer.partition(b"\r\n\r\n")[2])
                assert "error" in told or "message" in told, f"seed {seed}"
            if seed % 20 == 0:
                found = server.post("/v1/embeddings", {"input": "a neighbour"}).json["data"][0]["embedding"]
                assert np.allclose(found, expected, atol=1e-5), f"seed {seed}"
                assert server.is_ready(), f"seed {seed}"
            if seed == seeds.start + len(seeds) // 5:
                before = resident()
        assert {200, 400} <= statuses
        assert len(seeds) < MANY or resident() - before < MOST_MORE
    wait_for(lambda: service.memory.held == 0)
    wait_for(lambda: not any(service.models["tiny"].queue.held.values()))


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_malformed_requests(attacked: Running, served_model: bindrt.Model, media: dict[str, bytes]) -> None:
    run(attacked, served_model, media, range(FEW))


@pytest.mark.deep
def test_many_malformed_requests(
    attacked: Running, served_model: bindrt.Model, media: dict[str, bytes]
) -> None:
    run(attacked, served_model, media, range(FEW, FEW + MANY))


def test_a_length_that_lies(server: Running) -> None:
    whole = b"POST", "/v1/embeddings", json.dumps({"input": "a"}).encode(), {}
    size = len(whole[2])
    assert b"HTTP/1.1 200" not in send(server, whole, size + 5)  # the rest never comes
    assert b"HTTP/1.1 200" not in send(server, whole, size - 5)
    assert b"HTTP/1.1 400" in send(server, whole, -1)
    assert server.is_ready()


def test_pictures_of_one_pixel(server: Running, served_model: bindrt.Model) -> None:
    out = io.BytesIO()
    PIL.Image.new("RGB", (1, 1)).save(out, "PNG")
    found = server.post("/v1/embeddings", {"input": [in_uri(out.getvalue())] * 3, "modality": "image"})
    assert found.status == 200
    expected = served_model.embed(image=out.getvalue()).image[0]
    assert np.allclose([each["embedding"] for each in found.json["data"]], expected, atol=1e-5)
    assert server.is_ready()


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -3e38, 1e7])
def test_numbers_that_no_input_has(server: Running, number: float) -> None:
    """They are the client's, so the engine has not failed."""
    array = np.zeros((6, 2000), np.float32)
    array[3, 1000] = number
    out = io.BytesIO()
    np.save(out, array)
    body, headers = form(("imu", "a.npy", out.getvalue()))
    body = body.replace(b'"a.npy"\r\n', b'"a.npy"\r\nContent-Type: application/x-npy\r\n')
    found = server.ask("POST", "/v1/embed", body, headers)
    assert found.status == 400
    assert found.json["error"]["message"].startswith("imu[0]: its numbers are ")
    tensor = {"name": "tensor", "datatype": "FP32", "shape": [1, 6, 2000]}
    head = json.dumps({"inputs": [{**tensor, "parameters": {"binary_data_size": array.nbytes}}]}).encode()
    length = {"inference-header-content-length": str(len(head))}
    found = server.ask("POST", "/v2/models/imu/infer", head + array.tobytes(), length)
    assert found.status == 400
    assert found.json["error"].startswith("tensor[0]: its numbers are ")
    table = b"time_ms,ax,ay,az,gx,gy,gz\n" + b"".join(
        b"%d,1,%g,3,4,5,6\n" % (i * 5, number) for i in range(400)
    )
    assert server.ask("POST", "/v1/embed", *form(("imu", "a.csv", table))).status in (200, 400)


def test_deep_json(server: Running) -> None:
    body = b'{"input":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    found = server.ask("POST", "/v1/embeddings", body)
    assert found.status == 400
    assert found.json["error"]["message"].startswith("the body:")
    assert server.is_ready()
