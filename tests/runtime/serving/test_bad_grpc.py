"""Damage to gRPC calls, from bytes that are no HTTP/2 to messages that say impossible things."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import bindrt
from support.damage import mutated
from support.serving import Running, running

grpc = pytest.importorskip("grpc")
SERVICE = "inference.GRPCInferenceService"
#: Calls of a run of `make test`, and of `make test-deep`.
FEW, MANY = 300, 10_000
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
CALLS = ("ModelInfer", "ModelInfer", "ModelInfer", "ModelMetadata", "ModelReady", "ServerMetadata", "None")
NUMBERS = (0, 1, -1, 2, 77, 2049, 2**31, 2**62, -(2**63), 2**63 - 1)


@pytest.fixture(scope="module")
def serving(served_model: bindrt.Model) -> Iterator[Running]:
    with running(served_model, grpc=True) as found:
        yield found


def message(name: str, /, **fields: Any) -> Any:
    from bindrt.serving.grpc_messages import message as kind

    return kind(name)(**fields)


def wholes(media: dict[str, bytes]) -> list[bytes]:
    """Messages that are in order."""
    texts = message("InferTensorContents", bytes_contents=[b"a bell", b"a car"])
    given = {"name": "data", "datatype": "BYTES", "shape": [2], "contents": texts}
    ready = {"name": "tensor", "datatype": "FP32", "shape": [1, 6, 2000]}
    raw = [np.zeros((1, 6, 2000), "<f4").tobytes()]
    picture = [len(media["image"]).to_bytes(4, "little") + media["image"]]
    file = {"name": "data", "datatype": "BYTES", "shape": [1, 1]}
    found = (
        message("ModelInferRequest", model_name="text", inputs=[message("InferInputTensor", **given)]),
        message("ModelInferRequest", model_name="imu", inputs=[message("InferInputTensor", **ready)],
                raw_input_contents=raw),
        message("ModelInferRequest", model_name="image", inputs=[message("InferInputTensor", **file)],
                raw_input_contents=picture),
    )  # fmt: skip
    return [each.SerializeToString() for each in found]


def impossible(rng: random.Random) -> bytes:
    """A message whose fields may be anything."""

    def word() -> str:
        return rng.choice(
            ("", "data", "tensor", "text", "image", "imu", "embedding", "ü" * 300, "a.b.c", "tiny.text")
        )

    def numbers() -> list[int]:
        return [rng.choice(NUMBERS) for _ in range(rng.randrange(5))]

    def parameters() -> list[Any]:
        names = ("timeout", "priority", "normalize", "unit", "start", "", "binary_data_output")
        values = ({}, {"bool_param": True}, {"int64_param": rng.choice(NUMBERS)}, {"string_param": word()},
                  {"double_param": rng.choice((0.0, -1e308, float("nan"), float("inf")))},
                  {"uint64_param": 2**64 - 1})  # fmt: skip
        return [
            message(
                "ParametersEntry",
                key=rng.choice(names),
                value=message("InferParameter", **rng.choice(values)),
            )
            for _ in range(rng.randrange(3))
        ]

    def tensor() -> Any:
        contents = rng.choice((
            {"bytes_contents": [rng.randbytes(rng.randrange(9)) for _ in range(rng.randrange(4))]},
            {"fp32_contents": [rng.choice((0.0, float("nan"), 3e38))] * rng.choice((0, 1, 12_000))},
            {"int64_contents": numbers() * rng.choice((1, 77))}, {"bool_contents": [True]}, {},
        ))  # fmt: skip
        kind = rng.choice(("BYTES", "BYTES", "FP32", "INT64", "BF16", "", "x" * 99))
        shape = rng.choice(([1], [1, 1], [1, 77], [1, 6, 2000], numbers()))
        filled = message("InferTensorContents", **contents)
        return message("InferInputTensor", name=word(), datatype=kind, shape=shape, contents=filled)

    raw = [rng.randbytes(rng.choice((0, 3, 4, 48_000))) for _ in range(rng.choice((0, 0, 1, 2)))]
    outputs = [message("InferRequestedOutputTensor", name=word()) for _ in range(rng.choice((0, 0, 1)))]
    inputs = [tensor() for _ in range(rng.choice((0, 1, 1, 1, 2)))]
    found: bytes = message(
        "ModelInferRequest", model_name=word(), model_version=rng.choice(("", "1", "x")), inputs=inputs,
        parameters=parameters(), outputs=outputs, raw_input_contents=raw,
    ).SerializeToString()  # fmt: skip
    return found


def frames(rng: random.Random) -> bytes:
    """What is no call: noise, HTTP/1.1, TLS, or frames of HTTP/2 that mean nothing."""
    size = rng.choice((0, 1, 8, 200, 2**24 - 1))
    frame = size.to_bytes(3, "big") + rng.randbytes(6) + rng.randbytes(min(size, 300))
    kinds = (rng.randbytes(rng.randrange(1, 3000)), b"POST / HTTP/1.1\r\nHost: x\r\n\r\n",
             b"\x16\x03\x01" + frame, PREFACE + frame, PREFACE + b"\0\0\0\4\0\0\0\0\0" + frame * 3,
             mutated(PREFACE, rng))  # fmt: skip
    return rng.choice(kinds)


def send(server: Running, data: bytes) -> None:
    """Sends bytes, and hangs up without waiting for what the server says to them."""
    with socket.create_connection(("127.0.0.1", server.server.grpc_port), timeout=120) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the server has hung up already


def run(server: Running, model: bindrt.Model, media: dict[str, bytes], seeds: range) -> None:
    expected, good = model.embed(text=["a bell", "a car"]).text, wholes(media)
    codes = set()
    with grpc.insecure_channel(f"127.0.0.1:{server.server.grpc_port}") as channel:

        def call(name: str, data: bytes) -> tuple[str, Any]:
            try:
                return "OK", channel.unary_unary(f"/{SERVICE}/{name}")(data, timeout=120)
            except grpc.RpcError as error:
                return error.code().name, str(error.details())

        for seed in seeds:
            rng = random.Random(seed)
            if seed % 10 == 0:
                send(server, frames(rng))
                continue
            data = impossible(rng) if rng.random() < 0.5 else mutated(rng.choice(good), rng, 0.3)
            code, said = call(rng.choice(CALLS), data)
            codes.add(code)
            assert code in ("OK", "INVALID_ARGUMENT", "NOT_FOUND", "UNIMPLEMENTED", "DEADLINE_EXCEEDED"), (
                f"seed {seed}: {code} {said}"
            )
            assert "Traceback" not in str(said), f"seed {seed}"
            if seed % 20 == 1:
                code, answer = call("ModelInfer", good[0])
                assert code == "OK", f"seed {seed}: {answer}"
                from bindrt.serving.grpc_messages import message as kind

                raw = kind("ModelInferResponse").FromString(answer).raw_output_contents[0]
                assert np.allclose(np.frombuffer(raw, "<f4").reshape(2, -1), expected, atol=1e-5), (
                    f"seed {seed}"
                )
                assert server.is_ready(), f"seed {seed}"
    assert {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "UNIMPLEMENTED"} <= codes


def test_damaged_calls(serving: Running, served_model: bindrt.Model, media: dict[str, bytes]) -> None:
    run(serving, served_model, media, range(FEW))


@pytest.mark.deep
def test_many_damaged_calls(serving: Running, served_model: bindrt.Model, media: dict[str, bytes]) -> None:
    run(serving, served_model, media, range(FEW, FEW + MANY))
