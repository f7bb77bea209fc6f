"""Weaviate's multi2vec-bind, in the form in which its client asks."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import bindrt
from bindrt.serving import ServeOptions
from support.serving import Running, in_base64, running

LISTS = {
    "text": ("texts", "textVectors"), "image": ("images", "imageVectors"), "audio": ("audio", "audioVectors"),
    "video": ("video", "videoVectors"), "imu": ("imu", "imuVectors"),
    "thermal": ("thermal", "thermalVectors"), "depth": ("depth", "depthVectors"),
}  # fmt: skip


def asked_of(media: dict[str, bytes]) -> dict[str, list[str]]:
    files = {LISTS[m][0]: [in_base64(data)] for m, data in media.items()}
    return {"texts": ["a bell ringing", "rain"], **files}


def test_all_lists(server: Running, served_model: bindrt.Model, media: dict[str, bytes]) -> None:
    found = server.post("/vectorize", asked_of(media))
    assert found.status == 200, found.body
    assert set(found.json) == {name for _, name in LISTS.values()}
    expected = served_model.embed(text=["a bell ringing", "rain"], **media)  # type: ignore[arg-type]
    for modality, (_, name) in LISTS.items():
        assert np.allclose(found.json[name], expected[modality], atol=1e-5), modality


def test_files_as_weaviates_client_encodes_them(
    server: Running, served_model: bindrt.Model, media: dict[str, bytes], tmp_path: Path
) -> None:
    """Its base64 goes through Weaviate to ``/vectorize`` as it is."""
    util = pytest.importorskip("weaviate.util", reason="weaviate-client is not installed")
    asked = {}
    for modality, data in media.items():
        path = tmp_path / modality
        path.write_bytes(data)
        asked[LISTS[modality][0]] = [util.file_encoder_b64(path), util.parse_blob(path)]
    found = server.post("/vectorize", asked)
    assert found.status == 200, found.body
    expected = served_model.embed(**media)  # type: ignore[arg-type]
    for modality in media:
        for vector in found.json[LISTS[modality][1]]:
            assert np.allclose(vector, expected[modality][0], atol=1e-5), modality


def test_a_client_that_reads_json_before_the_status_can_say_what_is_wrong(served_model: bindrt.Model) -> None:
    """Whatever the status is: too large, too many, a wrong method, no room."""
    with running(served_model, ServeOptions(max_items=2, max_body=1000, queue=2)) as server:
        found = [
            server.post("/vectorize", {"texts": ["a"] * 3}),
            server.post("/vectorize", {"texts": ["a" * 1000]}),
            server.ask("GET", "/vectorize"),
            server.ask("POST", "/vectorize", b"{"),
        ]
    assert [each.status for each in found] == [413, 413, 405, 400]
    for each in found:
        assert list(each.json) == ["error"]
        assert isinstance(each.json["error"], str)


def test_lists_that_are_empty_or_null(server: Running) -> None:
    found = server.post("/vectorize", {"texts": ["a"], "images": [], "audio": None})
    assert found.status == 200
    assert len(found.json["textVectors"]) == 1
    assert found.json["imageVectors"] == found.json["audioVectors"] == found.json["imuVectors"] == []


def test_scales_of_the_original(served_model: bindrt.Model, media: dict[str, bytes]) -> None:
    with running(served_model, ServeOptions(weaviate_scales=True)) as server:
        found = server.post("/vectorize", asked_of(media)).json
    expected = served_model.embed(text=["a bell ringing", "rain"], normalize=False, **media)  # type: ignore[arg-type]
    for modality, (_, name) in LISTS.items():
        assert np.allclose(found[name], expected[modality], rtol=1e-4, atol=1e-4), modality


@pytest.mark.parametrize("modality", ["depth", "thermal"])
def test_pictures_as_the_container_takes_them(
    server: Running, served_model: bindrt.Model, modality: str
) -> None:
    """The mean of red, green and blue. Without its scales false colours are an error."""
    file = io.BytesIO()
    PIL.Image.new("RGB", (300, 240), (30, 60, 120)).save(file, "PNG")
    name, vectors = LISTS[modality]
    asked = {name: [in_base64(file.getvalue())]}
    refused = server.post("/vectorize", asked)
    assert refused.status == 400
    assert "the image has colours" in refused.json["error"]
    with running(served_model, ServeOptions(weaviate_scales=True)) as its:
        found = its.post("/vectorize", asked)
    assert found.status == 200, found.body
    grey: Any = bindrt.Prepared(np.full((1, 224, 224), 70 / 255, np.float32))
    expected = served_model.embed(normalize=False, **{modality: grey})[modality]
    assert np.allclose(found.json[vectors], expected, rtol=1e-4, atol=1e-4)


def test_probes_and_meta(server: Running, served_model: bindrt.Model) -> None:
    for method in ("GET", "HEAD"):
        for path in ("/.well-known/live", "/.well-known/ready"):
            found = server.ask(method, path)
            assert (found.status, found.body) == (204, b"")
    meta = server.ask("GET", "/meta").json
    assert meta["model"] == "tiny"
    assert meta["version"] == bindrt.__version__
    assert meta["space"] == served_model.space


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"images": ["aGk=", "?"]}, "images[1]: the data: URI is damaged"),
        ({"images": ["aGk="]}, "images[0] <bytes, 2 B>"),
        ({"texts": "a"}, "$.texts"),
        ({}, "it has no items"),
        ([], "the body"),
    ],
    ids=str,
)
def test_errors_are_json_with_a_status(server: Running, asked: object, said: str) -> None:
    found = server.post("/vectorize", asked)
    assert found.status == 400
    assert set(found.json) == {"error"}
    assert said in found.json["error"]
