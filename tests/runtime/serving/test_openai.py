"""OpenAI's protocol, with its own client and as plain HTTP: the vectors are those of ``embed``."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt.index import combine
from support.serving import Running, in_base64, in_uri

TEXTS = ["a bell ringing", "a car driving", "ein Zug fährt"]


@pytest.fixture(scope="module")
def client(server: Running) -> Any:
    openai = pytest.importorskip("openai")
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)


def test_texts_as_the_client_asks_by_default(client: Any, served_model: bindrt.Model) -> None:
    """It asks for base64, and decodes it."""
    found = client.embeddings.create(model="tiny", input=TEXTS)
    assert [each.index for each in found.data] == [0, 1, 2]
    expected = served_model.embed(text=TEXTS).text
    assert np.allclose([each.embedding for each in found.data], expected, atol=1e-5)
    assert found.model == "tiny"
    counted = int(sum((row != 0).sum() for row in bindrt.preprocess.text(TEXTS)))
    assert found.usage.prompt_tokens == found.usage.total_tokens == counted


def test_floats_and_one_text(client: Any, served_model: bindrt.Model) -> None:
    found = client.embeddings.create(model="tiny", input=TEXTS[0], encoding_format="float")
    assert np.allclose(found.data[0].embedding, served_model.embed(text=TEXTS[0]).text[0], atol=1e-5)


@pytest.mark.parametrize("modality", ["image", "video", "audio", "depth", "thermal", "imu"])
def test_files_as_data_uris(
    server: Running, served_model: bindrt.Model, media: dict[str, bytes], modality: str
) -> None:
    found = server.post(
        "/v1/embeddings", {"input": [in_uri(media[modality])], "modality": modality, "model": "tiny"}
    )
    assert found.status == 200, found.body
    expected = served_model.embed(**{modality: [media[modality]]})[modality]  # type: ignore[arg-type]
    assert np.allclose([found.json["data"][0]["embedding"]], expected, atol=1e-5)


def test_files_by_the_client(client: Any, served_model: bindrt.Model, media: dict[str, bytes]) -> None:
    uri = in_uri(media["image"], "image/jpeg")
    found = client.embeddings.create(model="tiny", input=[uri, uri], extra_body={"modality": "image"})
    assert np.allclose(found.data[1].embedding, served_model.embed(image=media["image"]).image[0], atol=1e-5)


def test_base64_is_little_endian_float32(server: Running, served_model: bindrt.Model) -> None:
    found = server.post("/v1/embeddings", {"input": "rain", "encoding_format": "base64"})
    vector = np.frombuffer(base64.b64decode(found.json["data"][0]["embedding"]), "<f4")
    assert np.allclose(vector, served_model.embed(text="rain").text[0], atol=1e-5)


def test_lengths_of_the_original(server: Running, served_model: bindrt.Model) -> None:
    found = server.post("/v1/embeddings", {"input": "rain", "normalize": False}).json["data"][0]["embedding"]
    assert np.allclose(found, served_model.embed(text="rain", normalize=False).text[0], rtol=1e-4, atol=1e-4)


def test_null_is_a_field_that_is_left_out(server: Running, served_model: bindrt.Model) -> None:
    fields = ("modality", "encoding_format", "dimensions", "normalize", "on_error", "options", "user")
    asked = {"input": "rain", "model": None, "messages": None, **dict.fromkeys(fields)}
    found = server.post("/v1/embeddings", asked)
    assert found.status == 200, found.body
    expected = served_model.embed(text="rain").text[0]
    assert np.allclose(found.json["data"][0]["embedding"], expected, atol=1e-5)


def test_options_of_items(server: Running, served_model: bindrt.Model, media: dict[str, bytes]) -> None:
    asked = {"input": in_uri(media["depth"]), "modality": "depth", "options": {"unit": "m", "focal": 300}}
    found = server.post("/v1/embeddings", asked).json["data"][0]["embedding"]
    item = bindrt.Depth(media["depth"], unit="m", focal=300)
    assert np.allclose(found, served_model.embed(depth=item).depth[0], atol=1e-5)


def test_messages_of_mixed_parts_are_one_vector(
    server: Running, served_model: bindrt.Model, media: dict[str, bytes]
) -> None:
    content = [
        {"type": "text", "text": "a bell"},
        {"type": "image_url", "image_url": {"url": in_uri(media["image"])}},
        {"type": "image_url", "image_url": in_uri(media["image"])},
        {"type": "input_audio", "input_audio": {"data": in_base64(media["audio"]), "format": "wav"}},
        {"type": "thermal_url", "thermal_url": in_uri(media["thermal"])},
    ]
    asked = {"model": "tiny", "messages": [{"role": "user", "content": content}]}
    found = server.post("/v1/embeddings", asked)
    assert found.status == 200, found.body
    parts = served_model.embed(
        text="a bell", image=[media["image"]] * 2, audio=media["audio"], thermal=media["thermal"]
    )
    assert len(found.json["data"]) == 1
    assert np.allclose(found.json["data"][0]["embedding"], combine(parts), atol=1e-5)


def test_models(client: Any, served_model: bindrt.Model) -> None:
    (only,) = client.models.list().data
    assert only.id == "tiny"
    assert only.space == served_model.space
    assert client.models.retrieve("tiny").dimensions == served_model.embed_dim


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ({"input": "a", "model": "huge"}, 404, "there is no such model; it is one of tiny"),
        ({"input": "a", "dimensions": 32}, 400, "they have 96 numbers"),
        ({"input": [1, 2, 3]}, 400, "input[0]: token numbers of another model"),
        ({"input": ["a", ["b"]]}, 400, "$.input[1][0]"),
        ({"input": []}, 400, "it has no items"),
        ({}, 400, "input: it is missing"),
        ({"input": "a", "modality": "smell"}, 400, "there is no modality 'smell'"),
        ({"input": "a", "encoding_format": "hex"}, 400, "$.encoding_format"),
        ({"input": ["a", "data:image/jpeg;base64,aGk="]}, 400, "input[1]: it is a file as a data: URI"),
        ({"input": "bell.jpg", "modality": "image"}, 400, "input: it is not a data: URI"),
        ({"input": "file:///etc/hostname", "modality": "image"}, 400, "input: it is not a data: URI"),
        ({"input": ["https://example.org/a.jpg"], "modality": "image"}, 400, "does not fetch URLs"),
        ({"input": ["data:;base64,!!"], "modality": "audio"}, 400, "input[0]: the data: URI is damaged"),
        ({"input": ["data:;base64,"], "modality": "audio"}, 400, "input[0]: it holds no bytes"),
        ({"input": ["data:;base64,aGk=", "data:;base64,aGk="], "modality": "image"}, 400, "1 more item"),
        ({"input": "data:,x", "modality": "depth", "options": {"low": 1}}, 400, "depth has no option 'low'"),
        ({"messages": [{"content": [{"type": "smell_url"}]}]}, 400, "messages[0].content[0]: it is no part"),
        ({"messages": [{"content": "a"}], "input": "a"}, 400, "input stands beside it"),
        ({"input": "x" * 100_001}, 413, "input: it has more than 100000 characters"),
        ({"input": ["a"] * 2049}, 400, "input: it has 2049 items"),
        ({"input": "a", "dimensions": 10**400}, 400, "dimensions: this model's vectors cannot be cut"),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_errors_name_the_item(server: Running, asked: object, status: int, said: str) -> None:
    found = server.post("/v1/embeddings", asked)
    assert found.status == status, found.body
    error = found.json["error"]
    assert said in error["message"]
    assert {"message", "type", "param", "code"} <= set(error)
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"input": "a", "model": "huge"}, "model"),
        ({"input": "a", "dimensions": 32}, "dimensions"),
        ({"input": [1, 2, 3]}, "input[0]"),
        ({"input": ["a", ["b"]]}, "input[1][0]"),
        ({"input": "a", "modality": "smell"}, "modality"),
        ({"input": "a", "encoding_format": "hex"}, "encoding_format"),
        ({"input": ["data:;base64,aGk="], "modality": "image"}, "input[0]"),
        ({"input": "data:,x", "modality": "depth", "options": {"low": 1}}, "options"),
        ({"messages": [{"content": [{"type": "smell_url"}]}]}, "messages[0].content[0]"),
        ({"input": "x" * 100_001}, "input"),
        ({"input": ["a"] * 2049}, "input"),
        ("no object", None),
    ],
    ids=lambda value: str(value)[:60],
)
def test_errors_name_the_field(server: Running, asked: object, param: str | None) -> None:
    assert server.post("/v1/embeddings", asked).json["error"]["param"] == param


def test_the_client_understands_an_error(client: Any) -> None:
    openai = pytest.importorskip("openai")
    with pytest.raises(openai.NotFoundError, match="there is no such model"):
        client.embeddings.create(model="huge", input="a")
