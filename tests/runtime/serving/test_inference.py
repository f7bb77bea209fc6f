"""The Open Inference Protocol over HTTP: files, ready input, JSON and binary data."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt.serving import tensors
from bindrt.serving.tensors import Tensor, flat, items_in
from support.embedding import PHOTO
from support.serving import Answer, Running, gated, in_base64, in_uri
from support.triton_client import image_vectors

FILES = ["image", "video", "audio", "depth", "thermal", "imu"]
HEADER = "inference-header-content-length"


def elements(items: list[bytes]) -> bytes:
    """A tensor of BYTES as binary data."""
    return b"".join(len(item).to_bytes(4, "little") + item for item in items)


def binary(server: Running, model: str, tensor: dict[str, Any], data: bytes, **more: Any) -> Answer:
    """A request with binary data in and out."""
    tensor = {**tensor, "parameters": {"binary_data_size": len(data)}}
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True, **more}}).encode()
    return server.ask("POST", f"/v2/models/{model}/infer", head + data, {HEADER: str(len(head))})


def rows(answer: Answer) -> np.ndarray:
    assert answer.status == 200, answer.body
    length = int(answer.headers.get(HEADER, len(answer.body)))
    (output,) = json.loads(answer.body[:length])["outputs"]
    assert (output["name"], output["datatype"]) == ("embedding", "FP32")
    data = output["data"] if "data" in output else np.frombuffer(answer.body[length:], "<f4")
    return np.reshape(np.array(data, np.float32), output["shape"])


@pytest.mark.parametrize("modality", FILES)
def test_files_as_binary_data(
    server: Running, served_model: bindrt.Model, media: dict[str, bytes], modality: str
) -> None:
    tensor = {"name": "data", "datatype": "BYTES", "shape": [2, 1]}
    found = rows(binary(server, modality, tensor, elements([media[modality]] * 2)))
    expected = served_model.embed(**{modality: [media[modality]] * 2})[modality]  # type: ignore[arg-type]
    assert np.allclose(found, expected, atol=1e-5)


def test_a_raw_binary_request(server: Running, served_model: bindrt.Model, media: dict[str, bytes]) -> None:
    """Triton's: the whole body is one item."""
    found = server.ask("POST", "/v2/models/image/infer", media["image"], {HEADER: "0"})
    assert HEADER in found.headers
    assert np.allclose(rows(found), served_model.embed(image=media["image"]).image, atol=1e-5)
    found = server.ask("POST", "/v2/models/text/infer", b"a bell", {HEADER: "0"})
    assert np.allclose(rows(found), served_model.embed(text="a bell").text, atol=1e-5)
    for model, body, said in (("image", b"", "data[0]"), ("text", b"\xff", "data[0]: it is no text")):
        found = server.ask("POST", f"/v2/models/{model}/infer", body, {HEADER: "0"})
        assert found.status == 400
        assert said in found.json["error"]


def test_texts_and_files_as_json(
    server: Running, served_model: bindrt.Model, media: dict[str, bytes]
) -> None:
    tensor = {"name": "data", "datatype": "BYTES", "shape": [2, 1], "data": [["a bell"], ["rain"]]}
    found = server.post("/v2/models/text/versions/1/infer", {"id": "7", "inputs": [tensor]})
    assert np.allclose(rows(found), served_model.embed(text=["a bell", "rain"]).text, atol=1e-5)
    assert (found.json["id"], found.json["model_name"], found.json["model_version"]) == ("7", "text", "1")
    tensor["data"] = [in_base64(media["image"]), in_uri(media["image"])]
    found = server.post("/v2/models/tiny.image/infer", {"inputs": [tensor]})
    assert np.allclose(rows(found), served_model.embed(image=media["image"]).image, atol=1e-5)


def test_ready_input(server: Running, served_model: bindrt.Model, media: dict[str, bytes]) -> None:
    image, sound = bindrt.preprocess.image(media["image"]), bindrt.preprocess.audio(media["audio"])
    expected = served_model.embed(image=media["image"], audio=media["audio"], text=["a bell", "rain"])
    tensor = {"name": "tensor", "datatype": "FP32", "shape": [2, 3, 224, 224]}
    found = rows(binary(server, "image", tensor, np.stack([image, image]).tobytes()))
    assert np.allclose(found, expected.image, atol=1e-5)
    tensor = {"name": "tensor", "datatype": "FP32", "shape": [1, *sound.shape]}
    assert np.allclose(rows(binary(server, "audio", tensor, sound.tobytes())), expected.audio, atol=1e-5)
    ids = bindrt.preprocess.text(["a bell", "rain"])
    tensor = {"name": "tensor", "datatype": "INT64", "shape": [2, 77], "data": ids.tolist()}
    found = rows(server.post("/v2/models/text/infer", {"inputs": [tensor]}))
    assert np.allclose(found, expected.text, atol=1e-5)


def test_many_numbers_are_read_beside_the_event_loop(
    server: Running, served_model: bindrt.Model, media: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []

    def told(tensor: Tensor, count: int) -> list[Any]:
        threads.append(threading.current_thread().name)
        return flat(tensor, count)

    monkeypatch.setattr(tensors, "flat", told)
    image = bindrt.preprocess.image(media["image"])
    for count in (1, 2):  # 150 528 numbers each
        data = np.stack([image] * count).tolist()
        tensor = {"name": "tensor", "datatype": "FP32", "shape": [count, 3, 224, 224], "data": data}
        found = rows(server.post("/v2/models/image/infer", {"inputs": [tensor]}))
        assert np.allclose(found, served_model.embed(image=media["image"]).image, atol=1e-5)
    short, long = threads
    assert "bindrt-aside" not in short
    assert "bindrt-aside" in long


def test_parameters(server: Running, served_model: bindrt.Model, media: dict[str, bytes]) -> None:
    tensor = {"name": "data", "datatype": "BYTES", "shape": [1]}
    found = rows(
        binary(server, "depth", tensor, elements([media["depth"]]), unit="m", focal=300, normalize=False)
    )
    item = bindrt.Depth(media["depth"], unit="m", focal=300)
    expected = served_model.embed(depth=item, normalize=False).depth
    assert np.allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_a_timeout_in_microseconds(pool: ThreadPoolExecutor) -> None:
    with gated() as (server, engine, _):
        engine.gate.clear()
        first = pool.submit(server.post, "/v1/embeddings", {"input": "one two"})
        assert engine.entered.wait(60)
        tensor = {"name": "data", "datatype": "BYTES", "shape": [1], "data": ["a bell"]}
        late = server.post("/v2/models/text/infer", {"inputs": [tensor], "parameters": {"timeout": 50_000}})
        assert late.status == 504
        engine.gate.set()
        assert first.result().status == 200


def test_metadata(server: Running) -> None:
    assert server.ask("GET", "/v2").json["extensions"] == ["binary_tensor_data"]
    assert server.ask("GET", "/v2/health/live").json == {"live": True}
    assert server.ask("GET", "/v2/health/ready").json == {"ready": True}
    assert server.ask("GET", "/v2/models/image/ready").json == {"name": "image", "ready": True}
    about = server.ask("GET", "/v2/models/video/versions/1").json
    assert about["inputs"][1]["shape"] == [-1, -1, 3, 2, 224, 224]
    assert about["outputs"] == [{"name": "embedding", "datatype": "FP32", "shape": [-1, 96]}]
    for path in ("smell", "image/versions/2", "other.image", "tiny.smell"):
        found = server.ask("GET", f"/v2/models/{path}")
        assert found.status == 404
        assert "there is none" in found.json["error"]


@pytest.mark.parametrize(
    ("tensor", "said"),
    [
        ({"shape": [2], "data": ["a"]}, "data: it has 1 elements, its shape says 2"),
        ({"shape": [], "data": ["a"]}, "data: its shape is none"),
        ({"shape": [-1], "data": ["a"]}, "data: its shape is none"),
        ({"shape": [5000], "data": ["a"]}, "data: it has 5000 items"),
        ({"shape": [1, 5000], "data": ["a"]}, "data: it has 5000 items"),
        ({"shape": [1] * 5000, "data": ["a"]}, "data: its shape has more than 8 numbers"),
        ({"shape": [1, 2**31 + 1], "data": ["a"]}, "data: its shape is none"),
        ({"shape": [10**400], "data": ["a"]}, "data: its shape is none"),
        ({"shape": [1], "data": ["a"] * 9}, "data: it has more than 1 elements, its shape says 1"),
        ({"shape": [1], "data": [["a"]]}, "data: its lists are deeper than its shape"),
        ({"shape": [2], "data": ["a", ["b"]]}, "data: its lists are deeper than its shape"),
        ({"shape": [1], "data": [1]}, "data[0]: it is no text"),
        ({"shape": [1], "datatype": "FP32", "data": [1]}, "its datatype is 'FP32'; it is BYTES"),
        ({"shape": [1]}, "data: it has no data"),
        ({"shape": [1], "parameters": {"binary_data_size": 9}}, "its binary_data_size is not in the body"),
        ({"name": "pixels", "shape": [1], "data": ["a"]}, "inputs: there are pixels"),
        ({"name": "tensor", "datatype": "INT64", "shape": [1, 76], "data": [0] * 76}, "its shape is [1, 76]"),
        ({"name": "tensor", "datatype": "INT64", "shape": [1, 77], "data": [0] * 76}, "not the 77 numbers"),
        ({"name": "tensor", "datatype": "INT64", "shape": [1, 77], "data": ["a"] * 77}, "not the 77 numbers"),
        ({"name": "tensor", "datatype": "INT64", "shape": [1, 77], "data": [10**30] * 77}, "is too large"),
        ({"name": "tensor", "datatype": "INT64", "shape": [1, 77], "data": [0] * 77}, "the end token"),
        ({"name": "tensor", "datatype": "INT64", "shape": [1, 77], "data": [[[0]] * 77]}, "are deeper than"),
    ],
    ids=str,
)  # fmt: skip
def test_errors(server: Running, tensor: dict[str, Any], said: str) -> None:
    asked = {"inputs": [{"name": "data", "datatype": "BYTES", **tensor}]}
    found = server.post("/v2/models/text/infer", asked)
    assert found.status in (400, 413), found.body
    assert said in found.json["error"]


def test_lists_end_at_the_number_of_their_shape() -> None:
    """However deep and long they are, no more is read of them."""
    deep: list[Any] = ["a"]
    for _ in range(7):
        deep = [deep] * 1000
    assert flat(Tensor("data", "BYTES", [1] * 8, deep), 2) == ["a"] * 3


def test_items_of_the_log() -> None:
    said = ([3, 224], [-1], [10**30], [])
    assert [items_in([Tensor("data", "BYTES", shape, [])]) for shape in said] == [3, 0, 0, 0]
    assert items_in([]) == 0


def test_binary_data_that_are_damaged(server: Running) -> None:
    tensor = {"name": "data", "datatype": "BYTES", "shape": [1]}
    for data in (b"\xff\xff\xff\xff", b"\5\0\0\0a", b"\1", elements([b"\xff\xfe"]), elements([b"a"] * 3)):
        assert binary(server, "text", tensor, data).status == 400
    for header in ("-1", "1000", "x", "9" * 50):
        assert server.ask("POST", "/v2/models/text/infer", b"{}", {HEADER: header}).status == 400


def test_the_client_of_triton(server: Running, served_model: bindrt.Model) -> None:
    found = image_vectors("http", f"127.0.0.1:{server.port}", PHOTO)
    assert np.allclose(found, served_model.embed(image=PHOTO).image, atol=1e-5)
