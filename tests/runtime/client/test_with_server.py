"""``bindrt.Client`` and the real server: the results, notes and errors of a model in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import bindrt
from support.embedding import DEPTH, FILM, IMU, PHOTO, SOUND, THERMAL
from support.serving import running

ITEMS: dict[str, Any] = {
    "image": [PHOTO, PHOTO.read_bytes(), np.zeros((30, 40, 3), np.uint8), bindrt.Image(PHOTO, exif=True)],
    "video": [FILM, bindrt.Video(np.zeros((4, 32, 48, 3), np.uint8), fps=2.0)],
    "text": ["a bell ringing", "", "zzyzx qwrtp"],
    "audio": [SOUND, bindrt.Audio(np.sin(np.arange(80_000) / 9).astype(np.float32), rate=16_000)],
    "depth": [DEPTH, bindrt.Depth(DEPTH, unit="m")],
    "thermal": [THERMAL],
    "imu": [IMU, bindrt.Imu(np.ones((6, 1000)), rate=200.0)],
}


@pytest.fixture(scope="module")
def model() -> Iterator[bindrt.Model]:
    with bindrt.load("tiny") as model:
        yield model


@pytest.fixture(scope="module")
def client(model: bindrt.Model) -> Iterator[bindrt.Client]:
    with running(model) as server, bindrt.Client(server.url, batch=2) as client:
        yield client


@pytest.mark.parametrize("normalize", [True, False])
def test_every_modality(normalize: bool, client: bindrt.Client, model: bindrt.Model) -> None:
    found = client.embed(**ITEMS, normalize=normalize)
    expected = model.embed(**ITEMS, normalize=normalize)
    assert (list(found), found.space, found.normalized) == (list(expected), expected.space, normalize)
    for modality, rows in expected.items():
        np.testing.assert_allclose(found[modality], rows, rtol=1e-4, atol=2e-5, err_msg=modality)
    assert found.notes == expected.notes
    assert found.sources == expected.sources


def test_asyncio_classify_and_facts(client: bindrt.Client, model: bindrt.Model) -> None:
    found = asyncio.run(client.aembed(image=PHOTO, priority=3, deadline=60.0))
    np.testing.assert_allclose(found.image, model.embed(image=PHOTO).image, atol=1e-5)
    labels = ["a bell", "a car", "a fire"]
    scores = client.classify(image=[PHOTO], labels=labels, templates=["{}", "a photo of {}"])
    expected = model.classify(image=[PHOTO], labels=labels, templates=["{}", "a photo of {}"])
    np.testing.assert_allclose(scores, expected, atol=1e-3)
    assert (client.space, client.embed_dim) == (model.space, model.embed_dim)
    assert client.modalities == model.modalities


def test_errors_are_those_of_the_model(client: bindrt.Client, model: bindrt.Model) -> None:
    """The same class, item, place and text, whoever finds the fault."""
    bad = [PHOTO, PHOTO.read_bytes()[:500], "missing.jpg", b"", np.zeros(3), PHOTO, b"nothing at all"]
    found, expected = (each.embed(image=bad, on_error="skip") for each in (client, model))
    assert {place: (type(error), str(error)) for place, error in found.errors.items()} == {
        place: (type(error), str(error)) for place, error in expected.errors.items()
    }
    np.testing.assert_allclose(found.image, expected.image, atol=1e-5)
    with pytest.raises(bindrt.Error) as ours:
        client.embed(image=bad)
    with pytest.raises(bindrt.Error) as theirs:
        model.embed(image=bad)
    assert (type(ours.value), str(ours.value)) == (type(theirs.value), str(theirs.value))


def test_a_deadline_that_has_passed(client: bindrt.Client) -> None:
    with pytest.raises(bindrt.DeadlineExceeded):
        client.embed(text="a bell", deadline=0.0)


def test_a_model_that_is_not_there(client: bindrt.Client) -> None:
    other = bindrt.Client(repr(client)[len("Client(") : -1], model="other")
    with other, pytest.raises(bindrt.OptionError, match="there is no such model; it is one of tiny"):
        other.embed(text="a bell")
