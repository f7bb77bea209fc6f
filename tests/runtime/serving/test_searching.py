"""``/v1/search`` finds what the index itself finds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import bindrt
from bindrt.errors import InputError, SpaceError
from bindrt.index import Index, combine
from bindrt.serving import ServeOptions, app
from support.serving import Running, in_uri, running

TEXTS = ["a bell ringing", "a car driving", "rain", "a train", "fire"]


@pytest.fixture(scope="module")
def index(served_model: bindrt.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("index") / "things.index"
    made = Index(served_model.space, served_model.embed_dim)
    made.add(served_model.embed(text=TEXTS).text, TEXTS, "text")
    made.save(path)
    return path


@pytest.fixture(scope="module")
def searching(served_model: bindrt.Model, index: Path) -> Iterator[Running]:
    with running(served_model, ServeOptions(index=str(index))) as found:
        yield found


def test_the_sum_of_items(
    searching: Running, served_model: bindrt.Model, index: Path, media: dict[str, bytes]
) -> None:
    found = searching.post("/v1/search", {"image": in_uri(media["image"]), "text": "rain", "k": 3})
    assert found.status == 200, found.body
    query = combine(served_model.embed(image=media["image"], text="rain"))
    expected = Index.load(index).search(query, 3)[0]
    assert [hit["id"] for hit in found.json["hits"]] == [hit.id for hit in expected]
    assert [hit["score"] for hit in found.json["hits"]] == pytest.approx(
        [h.score for h in expected], abs=1e-4
    )
    assert {hit["modality"] for hit in found.json["hits"]} == {"text"}


def test_fewer_results(searching: Running) -> None:
    assert searching.post("/v1/search", {"text": "rain", "only": "image"}).json["hits"] == []
    assert len(searching.post("/v1/search", {"text": "rain", "min_score": 0.99}).json["hits"]) == 1
    assert len(searching.post("/v1/search", {"text": "rain"}).json["hits"]) == len(TEXTS)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "it has no items"),
        ({"text": "a", "k": 0}, "k: 0 results cannot be had"),
        ({"text": "a", "k": "x"}, "k: 'x' is not a whole number"),
        ({"text": "a", "k": 10**9}, "1 to 1000"),
        ({"text": "a", "min_score": 2}, "min_score"),
        ({"text": "a", "only": "smell"}, "smell"),
    ],
    ids=str,
)
def test_errors(searching: Running, asked: dict[str, object], said: str) -> None:
    found = searching.post("/v1/search", asked)
    assert found.status == 400, found.body
    assert said in found.json["error"]["message"]


def test_without_an_index_there_is_no_search(server: Running) -> None:
    found = server.post("/v1/search", {"text": "a"})
    assert found.status == 404
    message = found.json["error"]["message"]
    assert message == "POST /v1/search: Not Found; it needs an index: bind-serve --index FOLDER"


def test_what_is_no_index_of_the_model(served_model: bindrt.Model, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        app(served_model, ServeOptions(index=str(tmp_path / "none")))
    Index("imagebind-96-float-other", served_model.embed_dim).save(tmp_path / "other.index")
    with pytest.raises(SpaceError):
        app(served_model, ServeOptions(index=str(tmp_path / "other.index")))
