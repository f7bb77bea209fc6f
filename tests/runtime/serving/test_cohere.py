"""Cohere's ``/v2/embed``, with its own client and as plain HTTP."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import PIL.Image
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
    with PIL.Image.open(io.BytesIO(media["image"])) as picture:
        size = picture.size
    (head,) = images.images
    assert (head.width, head.height, head.format, head.bit_depth) == (*size, "jpeg", 24)
    with pytest.raises(cohere.BadRequestError, match="96 are the most"):
        client.embed(texts=["a"] * 97, **asked)


def test_texts_that_are_cut_unless_that_is_an_error(server: Running) -> None:
    found = [
        server.post("/v2/embed", {"texts": [text], "truncate": truncate})
        for text, truncate in (("bell " * 80, "END"), ("bell " * 80, None), ("a bell", "NONE"))
    ]
    assert [each.status for each in found] == [200, 200, 200]
    assert "images" not in found[0].json


@pytest.mark.parametrize(
    ("kind", "mode", "options", "bits"),
    [
        ("PNG", "RGBA", {}, 32), ("PNG", "I;16", {}, 16), ("JPEG", "L", {}, 8), ("GIF", "P", {}, 8),
        ("WEBP", "RGB", {}, 24), ("WEBP", "RGB", {"lossless": True}, 24),
        ("WEBP", "RGBA", {"exif": b"x"}, 32),
    ],
)  # fmt: skip
def test_what_is_told_of_pictures(kind: str, mode: str, options: dict[str, Any], bits: int) -> None:
    from bindrt.serving.picture_heads import picture_head

    file = io.BytesIO()
    PIL.Image.new(mode, (37, 21)).save(file, kind, **options)
    data = file.getvalue()
    expected = {"width": 37, "height": 21, "format": kind.lower(), "bit_depth": bits}
    assert picture_head(data) == expected
    for end in range(30):
        assert picture_head(data[:end]) in (None, expected)
    assert picture_head(b"BM" + data[2:]) is None


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
        ({"texts": ["a"] * 97}, 400, "96 are the most"),
        ({"texts": ["a", "bell " * 80], "truncate": "NONE"}, 400, "texts[1]: it has more than 77 tokens"),
        ({"texts": ["bell " * 80], "truncate": "START"}, 400, "the last 25 characters are not read"),
        ({"texts": ["a"], "truncate": "MIDDLE"}, 400, "$.truncate"),
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
