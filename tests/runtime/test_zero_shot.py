"""``model.zero_shot``: labels embedded once, items of any modality compared with them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import bindrt
from bindrt import templates
from bindrt.embeddings import unit_rows
from bindrt.label_vectors import LabelVectors, Prompts

LABELS = ["a bell ringing", "a car", "a dog"]
ITEMS = ["a dog", "a car", "a bell ringing", "a car"]


@pytest.fixture(scope="module")
def model() -> Iterator[bindrt.Model]:
    with bindrt.load("tiny", modalities=["text"], engine="onnxruntime") as loaded:
        yield loaded


def test_as_classify_and_by_name(model: bindrt.Model) -> None:
    among = model.zero_shot(LABELS)
    found = among(text=ITEMS)
    np.testing.assert_array_equal(found.probabilities, model.classify(text=ITEMS, labels=LABELS))
    np.testing.assert_array_equal(np.asarray(found), found.probabilities)
    assert found.probabilities.dtype == np.float32
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-6)
    assert [best[0][0] for best in found.topk()] == ITEMS
    assert len(found) == len(ITEMS)
    top = found.topk(np.int64(2))
    assert [len(row) for row in top] == [2] * len(ITEMS)
    assert all(row[0][1] >= row[1][1] for row in top)
    assert [len(row) for row in found.topk(99)] == [3] * len(ITEMS)


def test_labels_are_embedded_once(model: bindrt.Model) -> None:
    among = model.zero_shot(LABELS)
    before = model.stats()["text"]["items"]
    among(text="a dog")
    among(text=ITEMS)
    assert model.stats()["text"]["items"] - before == 1 + len(ITEMS)


def test_templates_are_averaged(model: bindrt.Model) -> None:
    templates = ["a photo of {}", "{}"]
    among = model.zero_shot(LABELS, templates)
    texts = model.embed(text=[t.format(label) for label in LABELS for t in templates]).text
    want = unit_rows(texts.reshape(3, 2, -1).mean(axis=1))
    np.testing.assert_allclose(among.vectors, want, atol=1e-6)


def test_named_templates(model: bindrt.Model) -> None:
    assert len(set(templates.IMAGENET)) == 80
    assert all(text.count("{}") == 1 for text in templates.IMAGENET)
    found = model.classify(labels=LABELS, templates="imagenet", text="a dog")
    np.testing.assert_array_equal(
        found, model.classify(labels=LABELS, templates=list(templates.IMAGENET), text="a dog")
    )
    texts = [t.format(label) for label in LABELS for t in templates.IMAGENET]
    want = unit_rows(model.embed(text=texts).text.reshape(3, 80, -1).mean(axis=1))
    np.testing.assert_allclose(model.zero_shot(LABELS, "imagenet").vectors, want, atol=1e-6)


def test_a_model_keeps_the_vectors_of_labels() -> None:
    with bindrt.load("tiny", modalities=["text"], engine="onnxruntime") as model:
        first = model.zero_shot(LABELS, ["{}", "a photo of {}"])
        before = model.stats()["text"]["items"]
        assert before == 2 * len(LABELS)
        again = model.zero_shot([*reversed(LABELS), "a ball"], ["{}", "a photo of {}"])
        assert model.stats()["text"]["items"] - before == 2
        np.testing.assert_array_equal(again.vectors[:3], first.vectors[::-1])
        model.zero_shot(LABELS)
        assert model.stats()["text"]["items"] - before == 2 + len(LABELS)


def test_labels_used_longest_ago_are_forgotten(model: bindrt.Model) -> None:
    asked = []

    def embed(text: list[str]) -> bindrt.Embeddings:
        asked.append(text)
        return model.embed(text=text)

    known = LabelVectors(most_bytes=2 * 4 * model.embed_dim)
    for labels in (["a"], ["b"], ["a"], ["c"], ["a"], ["b"], ["a", "a", "b", "c"]):
        vectors, _ = known(Prompts(labels), embed)
        assert len(vectors) == len(labels)
    assert asked == [["a"], ["b"], ["c"], ["b"], ["c"]]


def test_notes_of_kept_labels(model: bindrt.Model) -> None:
    long = "a bell " * 90
    assert model.zero_shot([long, "a car"]).notes == model.zero_shot([long, "a car"]).notes
    assert set(model.zero_shot(["a car", long]).notes) == {1}


def test_items_that_fail(model: bindrt.Model) -> None:
    found = model.zero_shot(LABELS)(text=["a dog", 5], on_error="skip")
    assert set(found.errors) == {1}
    assert np.isnan(found.probabilities[1]).all()
    assert found.topk(2)[1] == []


@pytest.mark.parametrize(
    ("labels", "templates", "items", "message"),
    [
        ([], None, {"text": "a"}, "labels must be a list of texts"),
        ("a dog", None, {"text": "a"}, "labels must be a list of texts"),
        (["a", 5], None, {"text": "a"}, r"labels\[1\]"),
        (["a"], "a photo of {}", {"text": "a"}, "templates: not a list of texts"),
        (["a"], [], {"text": "a"}, "templates: not a list of texts"),
        (["a"], ["{}", "a photo"], {"text": "a"}, r"templates\[1\]: not a text with {}"),
        (["a"], None, {}, "0 modalities given"),
        (["a"], None, {"text": "a", "image": "b"}, "2 modalities given"),
        (["a"], None, {"text": None}, "text is None"),
    ],
)
def test_what_it_does_not_take(
    model: bindrt.Model, labels: object, templates: object, items: dict[str, object], message: str
) -> None:
    with pytest.raises(bindrt.Error, match=message):
        model.zero_shot(labels, templates)(**items)  # type: ignore[arg-type]
    with pytest.raises(bindrt.OptionError, match="not a number of labels"):
        model.zero_shot(LABELS)(text="a").topk(0)


def test_classify_takes_templates(model: bindrt.Model) -> None:
    templates = ["a photo of {}", "{}"]
    found = model.classify(labels=LABELS, templates=templates, text="a dog")
    np.testing.assert_array_equal(found, model.zero_shot(LABELS, templates)(text="a dog").probabilities)
    assert not np.array_equal(found, model.classify(labels=LABELS, text="a dog"))
