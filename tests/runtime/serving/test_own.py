"""bindrt's own protocol as JSON, and what it has beside vectors: labels and similarities."""

from __future__ import annotations

import numpy as np
import pytest

import bindrt
from support.serving import Running, form, in_uri

LABELS = ["a bell ringing", "a car driving", "rain"]


def test_json_as_a_form(server: Running, served_model: bindrt.Model, media: dict[str, bytes]) -> None:
    asked = {"image": [in_uri(media["image"])], "text": "rain", "depth": in_uri(media["depth"]), "unit": "m"}
    found = server.post("/v1/embed", {**asked, "normalize": False, "model": "tiny"})
    assert found.status == 200, found.body
    expected = served_model.embed(
        image=media["image"], text="rain", depth=bindrt.Depth(media["depth"], unit="m"), normalize=False
    )
    for modality in ("image", "text", "depth"):
        assert np.allclose(found.json["embeddings"][modality], expected[modality], rtol=1e-4, atol=1e-4)


def test_an_option_of_one_modality_alone(
    server: Running, served_model: bindrt.Model, media: dict[str, bytes]
) -> None:
    asked = {"depth": in_uri(media["depth"]), "thermal": in_uri(media["thermal"])}
    units = {"depth.unit": "mm", "thermal.unit": "centikelvin", "low": 0, "high": 500}
    found = server.post("/v1/embed", {**asked, **units, "unit": "kelvin"})
    assert found.status == 200, found.body
    expected = served_model.embed(
        depth=bindrt.Depth(media["depth"], unit="mm"),
        thermal=bindrt.Thermal(media["thermal"], unit="centikelvin", low=0, high=500),
    )
    for modality in ("depth", "thermal"):
        assert np.allclose(found.json["embeddings"][modality], expected[modality], atol=1e-4)


@pytest.mark.parametrize("templates", [None, ["{}", "the sound of {}"]])
def test_labels(
    server: Running, served_model: bindrt.Model, media: dict[str, bytes], templates: list[str] | None
) -> None:
    expected = served_model.classify(audio=media["audio"], labels=LABELS, templates=templates)
    asked = {"audio": in_uri(media["audio"]), "labels": LABELS}
    as_json = server.post("/v1/classify", {**asked, **({"templates": templates} if templates else {})})
    assert as_json.status == 200, as_json.body
    parts = [("labels", None, label.encode()) for label in LABELS]
    parts += [("templates", None, template.encode()) for template in templates or ()]
    as_form = server.ask("POST", "/v1/classify", *form(("audio", "a.wav", media["audio"]), *parts))
    for found in (as_json.json, as_form.json):
        assert np.allclose(found["probabilities"], expected, atol=1e-4)
        assert found["labels"] == LABELS
        assert found["best"] == [LABELS[int(expected.argmax())]]


def test_labels_of_texts(server: Running, served_model: bindrt.Model) -> None:
    found = server.post("/v1/classify", {"text": ["rain", "a bell"], "labels": LABELS}).json
    expected = served_model.classify(text=["rain", "a bell"], labels=LABELS)
    assert np.allclose(found["probabilities"], expected, atol=1e-4)


def test_labels_that_are_asked_for_again_are_not_embedded_again(
    server: Running, served_model: bindrt.Model
) -> None:
    long = "thunder " * 100  # it is cut, which is told of it
    asked = {"text": ["rain", long], "labels": ["a far thunder", long, "a near thunder"]}
    first = server.post("/v1/classify", asked).json
    before = served_model.stats()["text"]["items"]
    again = server.post("/v1/classify", asked).json
    assert served_model.stats()["text"]["items"] - before == 2
    assert [note["item"] for note in again["notes"]] == ["text[0]", "text[1]"] + 3 * ["labels"]
    assert again.pop("notes") == first.pop("notes")
    assert np.allclose(again.pop("probabilities"), first.pop("probabilities"), atol=1e-5)
    assert again == first
    more = {**asked, "labels": ["a near thunder", "drizzle"]}
    expected = served_model.classify(text=asked["text"], labels=more["labels"])
    assert np.allclose(server.post("/v1/classify", more).json["probabilities"], expected, atol=1e-4)


def test_similarities(server: Running, served_model: bindrt.Model, media: dict[str, bytes]) -> None:
    found = server.post("/v1/similarity", {"image": in_uri(media["image"]), "text": ["a bell", "rain"]}).json
    assert found["items"] == ["image[0]", "text[0]", "text[1]"]
    embedded = served_model.embed(image=media["image"], text=["a bell", "rain"])
    assert np.allclose(np.diag(found["similarity"]), 1, atol=1e-5)
    assert np.allclose(found["similarity"][0][1:], embedded.similarity("image", "text")[0], atol=1e-5)


@pytest.mark.parametrize(
    ("path", "asked", "status", "said"),
    [
        ("classify", {"text": "a"}, 400, "labels"),
        ("classify", {"text": "a", "labels": []}, 400, "labels"),
        ("classify", {"labels": ["a"]}, 400, "0 modalities given"),
        ("classify", {"text": "a", "image": "data:,x", "labels": ["a"]}, 400, "2 modalities given"),
        ("classify", {"text": "a", "labels": ["a"], "templates": ["b"]}, 400, "templates[0]"),
        ("classify", {"text": "a", "labels": ["a"] * 2048}, 413, "2049 items"),
        ("similarity", {"text": ["a"] * 513}, 413, "it has 513 items"),
        ("similarity", {}, 400, "it has no items"),
        ("embed", {"text": 1}, 400, "1 is not a text or a list of texts"),
        ("embed", {"text": "a", "unit": ["m"]}, 400, "unit: it is a list"),
        ("embed", {"image": ["a.jpg"]}, 400, "image[0]: it is not a data: URI"),
        ("embed", {"text": "a", "smell": 1}, 400, "no modality has no option 'smell'"),
        ("embed", {"text": "a", "audio.unit": "m"}, 400, "no modality has no option 'audio.unit'"),
        ("embed", {"text": "a", "depth.unit": "m"}, 400, "only depth files have this option"),
        ("embed", {"depth": "data:,x", "depth.unit": "kelvin"}, 400, "unit is 'kelvin'; it is one of m, mm"),
        ("embed", {"images": "data:,x"}, 400, "items are image, video, text"),
        ("embed", {"text": "data:image/jpeg;base64,aGk="}, 400, "text[0]: it is a file as a data: URI"),
        ("embed", [], 400, "the body"),
    ],
    ids=str,
)
def test_errors(server: Running, path: str, asked: object, status: int, said: str) -> None:
    found = server.post(f"/v1/{path}", asked)
    assert found.status == status, found.body
    assert said in found.json["error"]["message"]
