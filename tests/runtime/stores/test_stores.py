"""Every store takes rows in batches, and has each of them once however often it is loaded.

Qdrant, Milvus and LanceDB run in this process, PostgreSQL as a server on a socket; Weaviate is a stand-in of
its REST interface (support/stores.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt.stores import Records, StorePlace, load_records, open_store
from support.stores import STORES, Here, some_records

DIM = 8


@pytest.fixture(params=STORES)
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Here]:
    with STORES[request.param](tmp_path) as found:
        yield found


def load(here: Here, records: Records, space: str = "space-1", **options: Any) -> Any:
    place = StorePlace.parse(here.url)
    store = open_store(place)
    try:
        return load_records(store, place, [records], records.vectors.shape[1], space, **options)
    finally:
        store.close()


def check(here: Here, records: Records) -> None:
    """The store has these rows and no others."""
    found = here.rows()
    assert set(found) == set(records.ids)
    for row, name in enumerate(records.ids):
        source, modality, metadata, vector = found[name]
        assert (source, modality) == (records.sources[row], records.modalities[row])
        assert metadata == records.metadata[row]
        assert np.allclose(vector, records.vectors[row], atol=1e-6)


def test_loading_again_doubles_nothing_and_renews_what_has_changed(here: Here) -> None:
    records = some_records(20)
    assert load(here, records.part(0, 9)).rows == 9
    assert load(here, records).rows == 20
    check(here, records)
    changed = replace(records, vectors=records.vectors[::-1].copy())
    assert load(here, changed).rows == 20
    check(here, changed)


def test_more_rows_than_a_batch_and_an_id_twice(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    place = StorePlace.parse(here.url)
    kind = type(open_store(place))
    monkeypatch.setattr(kind, "batch", 4)
    records = some_records(11)
    twice = replace(records, ids=[records.ids[1], *records.ids[1:]])  # both in the first batch
    load(here, twice)
    check(here, twice.part(1, 11))


def test_another_space_is_refused(here: Here) -> None:
    load(here, some_records(3))
    with pytest.raises(bindrt.SpaceError, match="space-1"):
        load(here, some_records(3), space="space-2")


def test_what_is_somebody_elses_is_refused(here: Here) -> None:
    here.strange()
    with pytest.raises(bindrt.OptionError, match="something else"):
        load(here, some_records(3))
