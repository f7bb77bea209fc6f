"""Random damage to requests: no crash, no stall, no stack trace; ``ready`` and the neighbours stay right."""

from __future__ import annotations

import io
import json
import random
import socket
from collections.abc import Callable

import numpy as np
import PIL.Image
import pytest

import bindrt
from support.damage import mutated, swapped
from support.serving import Running, form, in_base64, in_uri

#: Requests of a run of `make test`, and of `make test-deep`.
FEW, MANY = 300, 10_000
Request = tuple[bytes, str, bytes, dict[str, str]]


def wholes(media: dict[str, bytes]) -> list[tuple[str, object]]:
    """Requests in JSON that are in order."""
    uris = [(m, in_uri(data)) for m, data in media.items() if m != "video"]
    return [
        ("/v1/embeddings", {"input": ["a bell", "a car"], "encoding_format": "base64", "dimensions": 96}),
        ("/v1/embeddings", {"messages": [{"content": [{"type": "text", "text": "a"}]}], "model": "tiny"}),
        ("/vectorize", {"texts": ["a"], "images": [in_base64(media["image"])]}),
        *(("/v1/embeddings", {"input": [uri], "modality": modality}) for modality, uri in uris),
    ]


def broken_json(rng: random.Random, media: dict[str, bytes]) -> Request:
    path, content = rng.choice(wholes(media)[:3])
    return b"POST", path, rng.choice((mutated, swapped))(json.dumps(content).encode(), rng), {}


def wrong_types(rng: random.Random, media: dict[str, bytes]) -> Request:
    path, content = rng.choice(wholes(media)[:3])
    assert isinstance(content, dict)
    odd = [None, True, -1, 10**30, 1e308, "", "x" * 5000, [], [[]], {}, {"a": {}}, [None], [{}], ["data:,"]]
    changed = {**content, rng.choice([*content, "modality", "options", "normalize"]): rng.choice(odd)}
    return b"POST", path, json.dumps(changed).encode(), {}


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
    broken_json, wrong_types, damaged_media, bad_base64, damaged_form, odd_heads,
)  # fmt: skip


def send(server: Running, request: Request, length: int | None = None) -> bytes:
    """Sends a request as it stands, and reads until the server closes or has answered."""
    method, path, body, headers = request
    head = b"%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" % (method, path.encode("latin-1"))
    head += b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in headers.items())
    head += b"Content-Length: %d\r\n\r\n" % (len(body) if length is None else length)
    with socket.create_connection(("127.0.0.1", server.port), timeout=120) as connection:
        connection.sendall(head + body)
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
    expected = model.embed(text="a neighbour").text[0]
    statuses = set()
    for seed in seeds:
        rng = random.Random(seed)
        request = rng.choice(DAMAGES)(rng, media)
        answer = send(server, request)
        assert answer.startswith(b"HTTP/1.1 "), f"seed {seed}: {answer[:200]!r}"
        status = int(answer[9:12])
        statuses.add(status)
        assert status < 500, f"seed {seed}: {answer[:400]!r}"
        assert b"Traceback" not in answer, f"seed {seed}"
        if status >= 400 and request[0] != b"HEAD" and b"application/json" in answer:
            assert "error" in json.loads(answer.partition(b"\r\n\r\n")[2]), f"seed {seed}"
        if seed % 20 == 0:
            found = server.post("/v1/embeddings", {"input": "a neighbour"}).json["data"][0]["embedding"]
            assert np.allclose(found, expected, atol=1e-5), f"seed {seed}"
            assert server.is_ready(), f"seed {seed}"
    assert {200, 400} <= statuses


def test_malformed_requests(server: Running, served_model: bindrt.Model, media: dict[str, bytes]) -> None:
    run(server, served_model, media, range(FEW))


@pytest.mark.deep
def test_many_malformed_requests(
    server: Running, served_model: bindrt.Model, media: dict[str, bytes]
) -> None:
    run(server, served_model, media, range(FEW, FEW + MANY))


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
