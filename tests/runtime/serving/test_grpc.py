"""The Open Inference Protocol over gRPC, with the messages of the server itself and with Triton's client."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
import support
from bindrt.serving import ServeOptions
from support.embedding import PHOTO
from support.serving import Running, gated, running, wait_for
from support.triton_client import image_vectors

grpc = pytest.importorskip("grpc")
from bindrt.serving.grpc_service import Call  # noqa: E402 - it needs gRPC

#: A key and a certificate of localhost.
TLS = Path(support.__file__).parent / "tls"
SERVICE = "inference.GRPCInferenceService"


@pytest.fixture(scope="module")
def serving(served_model: bindrt.Model) -> Iterator[Running]:
    with running(served_model, grpc=True) as found:
        yield found


def call(server: Running, name: str, request: bytes, timeout: float = 60.0, **metadata: str) -> bytes:
    """A call with bytes that are sent as they are."""
    with grpc.insecure_channel(f"127.0.0.1:{server.server.grpc_port}") as channel:
        method = channel.unary_unary(f"/{SERVICE}/{name}")
        found: bytes = method(request, timeout=timeout, metadata=tuple(metadata.items()))
        return found


def asked(server: Running, name: str, /, *, timeout: float = 60.0, key: str = "", **fields: Any) -> Any:
    from bindrt.serving.grpc_messages import message

    metadata = {"authorization": f"Bearer {key}"} if key else {}
    request = message(f"{name}Request")(**fields).SerializeToString()
    return message(f"{name}Response").FromString(call(server, name, request, timeout, **metadata))


def tensor(items: list[bytes]) -> dict[str, Any]:
    from bindrt.serving.grpc_messages import message

    contents = message("InferTensorContents")(bytes_contents=items)
    given = {"name": "data", "datatype": "BYTES", "shape": [len(items)], "contents": contents}
    return {"inputs": [message("InferInputTensor")(**given)]}


def rows(answer: Any) -> np.ndarray:
    return np.frombuffer(answer.raw_output_contents[0], "<f4").reshape(answer.outputs[0].shape)


def test_files_and_texts(serving: Running, served_model: bindrt.Model, media: dict[str, bytes]) -> None:
    found = asked(serving, "ModelInfer", model_name="image", id="7", **tensor([media["image"]] * 2))
    assert np.allclose(rows(found), served_model.embed(image=[media["image"]] * 2).image, atol=1e-5)
    assert (found.model_name, found.id) == ("image", "7")
    found = asked(serving, "ModelInfer", model_name="text", **tensor(["ein Zug fährt".encode()]))
    assert np.allclose(rows(found), served_model.embed(text="ein Zug fährt").text, atol=1e-5)


def test_metadata(serving: Running) -> None:
    assert asked(serving, "ServerLive").live
    assert asked(serving, "ServerReady").ready
    about = asked(serving, "ServerMetadata")
    assert (about.name, list(about.extensions)) == ("bindrt", ["binary_tensor_data"])
    assert asked(serving, "ModelReady", name="audio").ready
    assert not asked(serving, "ModelReady", name="smell").ready
    about = asked(serving, "ModelMetadata", name="audio")
    assert list(about.inputs[1].shape) == [-1, -1, 1, 128, 204]


def test_errors(serving: Running, media: dict[str, bytes]) -> None:
    for fields, code, said in (
        ({"model_name": "smell"}, "NOT_FOUND", "there is none"),
        ({"model_name": "image"}, "INVALID_ARGUMENT", "inputs: there are none"),
        ({"model_name": "image", **tensor([b"no picture"])}, "INVALID_ARGUMENT", "data[0]"),
        ({"model_name": "text", **tensor([b"a"] * 2049)}, "INVALID_ARGUMENT", "2049 items"),
    ):
        with pytest.raises(grpc.RpcError) as failed:
            asked(serving, "ModelInfer", **fields)
        assert failed.value.code().name == code
        assert said in failed.value.details()


def test_tls(served_model: bindrt.Model) -> None:
    certificate = TLS / "certificate.pem"
    with running(served_model, grpc=True, tls=(str(certificate), str(TLS / "key.pem"))) as server:
        where = f"127.0.0.1:{server.server.grpc_port}"
        assert server.ask("GET", "/ready").status == 200, "HTTPS beside it"
        from bindrt.serving.grpc_messages import message

        request = message("ModelInferRequest")(model_name="text", **tensor([b"a bell"])).SerializeToString()
        trusting = grpc.ssl_channel_credentials(certificate.read_bytes())
        with grpc.secure_channel(where, trusting) as channel:
            answer = channel.unary_unary(f"/{SERVICE}/ModelInfer")(request, timeout=60)
        found = message("ModelInferResponse").FromString(answer)
        assert np.allclose(rows(found), served_model.embed(text="a bell").text, atol=1e-5)
        for channel in (
            grpc.insecure_channel(where),
            grpc.secure_channel(where, grpc.ssl_channel_credentials()),
        ):
            with channel, pytest.raises(grpc.RpcError) as failed:
                channel.unary_unary(f"/{SERVICE}/ModelInfer")(request, timeout=60)
            assert failed.value.code().name == "UNAVAILABLE"


def test_keys(served_model: bindrt.Model) -> None:
    with running(served_model, ServeOptions(api_keys=("secret",)), grpc=True) as server:
        assert asked(server, "ServerLive").live
        with pytest.raises(grpc.RpcError) as failed:
            asked(server, "ModelInfer", model_name="text", **tensor([b"a"]))
        assert failed.value.code().name == "UNAUTHENTICATED"
        assert asked(server, "ModelInfer", model_name="text", key="secret", **tensor([b"a"])).outputs


def test_overload_deadlines_and_hanging_up() -> None:
    with gated(ServeOptions(queue=2, max_items=2), grpc=True) as (server, engine, model):
        engine.gate.clear()
        with pytest.raises(grpc.RpcError) as failed:
            asked(server, "ModelInfer", model_name="text", timeout=1.0, **tensor([b"a", b"b"]))
        assert failed.value.code().name == "DEADLINE_EXCEEDED"
        wait_for(lambda: not in_flight(server))  # on a slow machine it may not have come to the server
        with grpc.insecure_channel(f"127.0.0.1:{server.server.grpc_port}") as channel:
            method = channel.unary_unary(f"/{SERVICE}/ModelInfer")
            from bindrt.serving.grpc_messages import message

            request = message("ModelInferRequest")(model_name="text", **tensor([b"a", b"b"]))
            waiting = method.future(request.SerializeToString())
            wait_for(lambda: in_flight(server))
            with pytest.raises(grpc.RpcError) as failed:
                asked(server, "ModelInfer", model_name="text", **tensor([b"c"]))
            assert failed.value.code().name == "RESOURCE_EXHAUSTED"
            assert ("retry-after", "1") in [tuple(each) for each in failed.value.trailing_metadata()]
            waiting.cancel()
            wait_for(lambda: not in_flight(server))
        engine.gate.set()
        found = asked(server, "ModelInfer", model_name="text", **tensor([b"a"]))
        assert rows(found).shape == (1, model.embed_dim)


class Held:
    """Calls whose messages do not come until the block ends."""

    def __init__(self, server: Running, count: int) -> None:
        self._end = threading.Event()
        self._channel = grpc.insecure_channel(f"127.0.0.1:{server.server.grpc_port}")
        method = self._channel.stream_unary(f"/{SERVICE}/ServerMetadata")
        self.calls = [method.future(self._nothing(), timeout=60) for _ in range(count)]

    def _nothing(self) -> Iterator[bytes]:
        self._end.wait()
        yield b""

    def __enter__(self) -> Held:
        return self

    def __exit__(self, *raised: object) -> None:
        self._end.set()
        self._channel.close()


def error_of_one_held(model: bindrt.Model, options: ServeOptions) -> Any:
    """How a call ends whose message never comes."""
    with (
        running(model, options, grpc=True) as server,
        Held(server, 1) as held,
        pytest.raises(grpc.RpcError) as failed,
    ):
        held.calls[0].result()
    return failed.value


def test_a_message_that_does_not_come(served_model: bindrt.Model) -> None:
    failed = error_of_one_held(served_model, ServeOptions(body_seconds=0.2))
    assert failed.code().name == "DEADLINE_EXCEEDED"
    assert failed.details() == "the request did not come within 0.2 seconds"


def test_calls_that_are_being_sent_are_bounded_as_well(served_model: bindrt.Model) -> None:
    def code() -> str:
        try:
            asked(server, "ServerLive")
        except grpc.RpcError as error:
            return str(error.code().name)
        return "OK"

    with running(served_model, ServeOptions(queue=3, max_items=3), grpc=True) as server:
        with Held(server, 3):
            wait_for(lambda: code() == "RESOURCE_EXHAUSTED")
        wait_for(lambda: code() == "OK")


def test_who_has_no_key_is_not_listened_to(served_model: bindrt.Model) -> None:
    failed = error_of_one_held(served_model, ServeOptions(api_keys=("secret",)))
    assert failed.code().name == "UNAUTHENTICATED"


def test_deadlines_and_priorities_of_metadata(serving: Running) -> None:
    from bindrt.serving.grpc_messages import message

    request = message("ModelInferRequest")(model_name="text", **tensor([b"a"])).SerializeToString()
    call(serving, "ModelInfer", request, 60.0, **{"x-deadline": "60", "x-priority": "-5"})
    for metadata, code, said in (
        ({"x-deadline": "soon"}, "INVALID_ARGUMENT", "X-Deadline: 'soon' is not a number of seconds"),
        ({"x-priority": "high"}, "INVALID_ARGUMENT", "X-Priority: 'high' is not a whole number"),
        ({"x-deadline": "1e-9"}, "DEADLINE_EXCEEDED", "its deadline passed"),
    ):
        with pytest.raises(grpc.RpcError) as failed:
            call(serving, "ModelInfer", request, 60.0, **metadata)
        assert failed.value.code().name == code
        assert said in failed.value.details()


def test_no_more_is_read_than_the_shape_says(serving: Running) -> None:
    from bindrt.serving.grpc_messages import message

    contents = message("InferTensorContents")(bytes_contents=[b"a"] * 5000)
    for shape, said in (([2], "data: it has more than 2 elements"), ([1] * 5000, "more than 8 numbers")):
        one = message("InferInputTensor")(name="data", datatype="BYTES", shape=shape, contents=contents)
        with pytest.raises(grpc.RpcError) as failed:
            asked(serving, "ModelInfer", model_name="text", inputs=[one])
        assert failed.value.code().name == "INVALID_ARGUMENT"
        assert said in failed.value.details()


def test_the_soonest_deadline_holds() -> None:
    class Context:
        def time_remaining(self) -> float:
            return 50.0

        def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
            return (("x-deadline", "20"), ("x-priority", "4"))

        def peer(self) -> str:
            return "test"

    asked = Call(Context())
    assert 0 < asked.times({})["deadline"] <= 20
    assert asked.times({})["priority"] == 4
    sooner = asked.times({"timeout": 10_000_000, "priority": 1})
    assert 0 < sooner["deadline"] <= 10
    assert sooner["priority"] == 0


def in_flight(server: Running) -> bool:
    """Whether items of texts are accepted and not yet answered."""
    return bool(server.server.config.app.state.service.models["tiny"].queue.held["text"])


def test_the_client_of_triton(serving: Running, served_model: bindrt.Model) -> None:
    address = f"127.0.0.1:{serving.server.grpc_port}"
    found = image_vectors("grpc", address, PHOTO, parameters={"normalize": True})
    assert np.allclose(found, served_model.embed(image=PHOTO).image, atol=1e-5)
