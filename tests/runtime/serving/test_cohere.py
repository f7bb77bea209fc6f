"""Cohere's ``/v2/embed``, with its own client and as plain HTTP."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

import bindrt
from support.serving import Running, in_uri


def cosine(a: object, b: object) -> float:
    x, y = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return float(x @ y / np.linalg.norm(x) / np.linalg.norm(y))


def test_the_client(server: Running, served_model: bindrt.Model, media: dict[str, bytes]) -> None:
    cohere = pytest.importorskip("cohere")
    client: Any = cohere.ClientV2("none", base_url=server.url)
    asked = {"model": "tiny", "input_type": "search_document", "embedding_types": ["float"]}
    texts = client.embed(texts=["a bell ringing", "rain"], **asked)
    assert np.allclose(
        texts.embeddings.float_, served_model.embed(text=["a bell ringing", "rain"]).text, atol=1e-5
    )
    images = client.embed(images=[in_uri(media["image"], "image/jpeg")], **asked)
    assert np.allclose(images.embeddings.float_, served_model.embed(image=media["image"]).image, atol=1e-5)


def test_both_forms_of_image_url(
    server: Running, served_model: bindrt.Model, media: dict[str, bytes]
) -> None:
    uri = in_uri(media["image"], "image/jpeg")
    inputs = [
        {"content": [{"type": "image_url", "image_url": {"url": uri}}]},
        {"content": [{"type": "image_url", "image_url": uri}, {"type": "text", "text": "a bell"}]},
    ]
    found = server.post("/v2/embed", {"model": "tiny", "inputs": inputs})
    assert found.status == 200, found.body
    parts = served_model.embed(image=media["image"], text="a bell")
    both = parts.image[0] + parts.text[0]
    assert np.allclose(found.json["embeddings"]["float"][0], parts.image[0], atol=1e-5)
    assert np.allclose(found.json["embeddings"]["float"][1], both / np.linalg.norm(both), atol=1e-5)


def test_types_of_numbers(server: Running, served_model: bindrt.Model) -> None:
    kinds = ["float", "int8", "uint8", "binary", "ubinary", "base64"]
    found = server.post("/v2/embed", {"texts": ["a bell"], "embedding_types": kinds}).json["embeddings"]
    vector = served_model.embed(text="a bell").text[0]
    (int8,), (uint8,), (binary,), (ubinary,) = (found[k] for k in ("int8", "uint8", "binary", "ubinary"))
    assert max(map(abs, int8)) == 127
    assert cosine(int8, vector) > 0.999
    assert [value - 128 for value in uint8] == int8
    assert [value + 128 for value in binary] == ubinary
    assert np.unpackbits(np.array(ubinary, np.uint8)).astype(bool).tolist() == (vector > 0).tolist()
    assert np.allclose(np.frombuffer(base64.b64decode(found["base64"][0]), "<f4"), vector, atol=1e-5)


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ({}, 400, "send one of texts, images, inputs"),
        ({"texts": ["a"], "images": []}, 400, "send one of"),
        ({"texts": ["a"] * 97}, 413, "96 are the most"),
        ({"texts": ["a"], "embedding_types": ["int4"]}, 400, "$.embedding_types[0]"),
        ({"texts": ["a"], "output_dimension": 32}, 400, "they have 96 numbers"),
        ({"images": ["a.jpg"]}, 400, "images[0]: it is not a data: URI"),
        ({"inputs": [{"content": []}]}, 400, "inputs[0]: it has no content"),
        ({"inputs": [{"content": [{"type": "video_url"}]}]}, 400, "inputs[0].content[0]: it is no content"),
        ({"texts": ["a"], "model": "embed-v4.0"}, 404, "there is no such model"),
    ],
    ids=str,
)
def test_errors(server: Running, asked: object, status: int, said: str) -> None:
    found = server.post("/v2/embed", asked)
    assert found.status == status, found.body
    assert said in found.json["message"]
