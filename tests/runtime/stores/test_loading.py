"""Batches are tried again where that helps; a row that a store refuses costs itself alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import bindrt
from bindrt.stores import Records, Rejected, StorePlace, load_records, loading, open_store
from support.stores import some_records, weaviate

PLACE = StorePlace.parse("qdrant://somewhere/things")


@dataclass
class Fake:
    """A store that fails as it is told."""

    batch: int = 8
    bad: frozenset[str] = frozenset()
    failures: list[Exception] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    puts: int = 0
    finished: bool = False

    def prepare(self, dim: int, space: str) -> None: ...

    def put(self, records: Records) -> Mapping[str, str]:
        self.puts += 1
        if self.failures:
            raise self.failures.pop()
        if self.bad & set(records.ids):
            raise Rejected("a bad row")
        for name in records.ids:
            self.rows[name] = self.rows.get(name, 0) + 1
        return {}

    def finish(self) -> None:
        self.finished = True

    def is_busy(self, error: Exception) -> bool:
        return isinstance(error, OSError)

    def close(self) -> None: ...


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were waited, without waiting."""
    found: list[float] = []
    monkeypatch.setattr(loading.time, "sleep", found.append)
    return found


def test_a_refused_batch_is_halved_down_to_its_bad_rows(waits: list[float]) -> None:
    records = some_records(20)
    store = Fake(bad=frozenset({records.ids[3], records.ids[17]}))
    found = load_records(store, PLACE, [records], 8, "s", skip=True)
    assert found.rows == 18
    assert found.refused == [(records.sources[3], "a bad row"), (records.ids[17], "a bad row")]
    assert set(store.rows) == set(records.ids) - store.bad
    assert set(store.rows.values()) == {1}
    assert store.finished
    assert waits == []


def test_a_refused_row_ends_the_load_unless_it_is_skipped() -> None:
    records = some_records(5)
    with pytest.raises(
        bindrt.Error, match=r"ä 3\.jpg: qdrant://somewhere/things does not take it: a bad row"
    ):
        load_records(Fake(bad=frozenset({records.ids[3]})), PLACE, [records], 8, "s")


def test_a_busy_store_is_asked_again_and_longer_each_time(waits: list[float]) -> None:
    store = Fake(failures=[ConnectionError("gone")] * 3)
    assert load_records(store, PLACE, [some_records(5)], 8, "s").rows == 5
    assert store.puts == 4
    assert len(waits) == 3
    assert waits == sorted(waits)


def test_a_store_that_stays_away_is_an_error_that_says_how_to_go_on(waits: list[float]) -> None:
    store = Fake(failures=[ConnectionError("gone")] * 99)
    with pytest.raises(bindrt.Error, match=r"the store cannot be used: gone; .*--resume"):
        load_records(store, PLACE, [some_records(5)], 8, "s")
    assert len(waits) == len(loading.WAITS)


def test_what_no_further_try_helps_is_an_error_at_once(waits: list[float]) -> None:
    store = Fake(failures=[KeyError("no right to"), ConnectionError("gone")])
    with pytest.raises(bindrt.Error, match="no right to"):
        load_records(store, PLACE, [some_records(1)], 8, "s")
    assert len(waits) == 1


def test_weaviate_tells_which_objects_it_refuses(tmp_path: Path) -> None:
    good = some_records(6)
    sources = ["refused", *good.sources[1:]]
    records = Records(good.ids, sources, good.modalities, good.metadata, good.vectors)
    with weaviate(tmp_path) as here:
        place = StorePlace.parse(here.url)
        found = load_records(open_store(place), place, [records], 8, "s", skip=True)
        assert found.refused == [("refused", "not this one")]
        assert set(here.rows()) == set(good.ids[1:])


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("qdrant://host:6333/", "no name of letters"),
        ("qdrant:things", "does not say where the store is"),
        ("milvus://h/my-things", "no name of letters"),
        ("postgresql:///", "no name of letters"),
    ],
)
def test_a_url_that_says_too_little(url: str, said: str) -> None:
    with pytest.raises(bindrt.OptionError, match=said):
        StorePlace.parse(url)


def test_a_password_is_not_told() -> None:
    assert (
        str(StorePlace.parse("postgresql://me:secret@host:5432/db/things"))
        == "postgresql://host:5432/db/things"
    )


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("weaviate://h/things", "begin with a capital"),
        ("lancedb://h/things", "a folder has no host"),
        ("milvus:folder/things", r"ends in \.db"),
    ],
)
def test_what_a_kind_of_store_needs(url: str, said: str) -> None:
    if url.startswith("milvus"):
        pytest.importorskip("pymilvus", reason="pymilvus is not installed (extra milvus)")
    with pytest.raises(bindrt.OptionError, match=said):
        open_store(StorePlace.parse(url))
