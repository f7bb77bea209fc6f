"""An index in FAISS, LanceDB and Qdrant finds what it finds here."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import bindrt
from bindrt.index import Index, to_faiss, to_lancedb, to_qdrant
from support.indexes import DIM, SPACE, filled, unit

QUERY = unit(1, 4)


def with_removed(dtype: str = "float32") -> Index:
    index = filled(1500, dtype=dtype)
    index.remove([index.search(QUERY, 1)[0][0].id, "i3"])
    return index


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_faiss(dtype: str) -> None:
    index = with_removed(dtype)
    scores, numbers = to_faiss(index).search(QUERY, 5)
    expected = index.search(QUERY, 5)[0]
    assert [index.ids[number] for number in numbers[0]] == [hit.id for hit in expected]
    np.testing.assert_allclose(scores[0], [hit.score for hit in expected], atol=1e-5)


def test_lancedb(tmp_path: Path) -> None:
    index = with_removed()
    table = to_lancedb(index, str(tmp_path / "db"), "things")
    found = table.search(QUERY[0]).distance_type("cosine").limit(5).to_list()
    expected = index.search(QUERY, 5)[0]
    assert [row["id"] for row in found] == [hit.id for hit in expected]
    assert [row["modality"] for row in found] == [hit.modality for hit in expected]
    assert [json.loads(row["metadata"]) for row in found] == [hit.metadata for hit in expected]
    assert table.count_rows() == 1498
    assert table.schema.metadata[b"bindrt.space"] == SPACE.encode()
    numbered = Index(SPACE, DIM)
    numbered.add(unit(3), [5, 6, 7])
    assert to_lancedb(numbered, str(tmp_path / "db"), "numbers").to_arrow()["id"].to_pylist() == [5, 6, 7]


def test_qdrant() -> None:
    from qdrant_client import QdrantClient

    index, client = with_removed(), QdrantClient(":memory:")
    to_qdrant(index, client, "things")
    found = client.query_points("things", query=QUERY[0].tolist(), limit=5).points
    expected = index.search(QUERY, 5)[0]
    assert [(p.payload["id"], p.payload["modality"], p.payload["metadata"]) for p in found if p.payload] == [
        (hit.id, hit.modality, hit.metadata) for hit in expected
    ]
    np.testing.assert_allclose([p.score for p in found], [hit.score for hit in expected], atol=1e-5)
    assert client.count("things").count == 1498


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("faiss", "lancedb", "qdrant_client.models"):
        monkeypatch.setitem(sys.modules, module, None)
    index = filled(2)
    with pytest.raises(bindrt.OptionError, match="pip install faiss-cpu"):
        to_faiss(index)
    with pytest.raises(bindrt.OptionError, match="pip install lancedb"):
        to_lancedb(index, "somewhere", "things")
    with pytest.raises(bindrt.OptionError, match="pip install qdrant-client"):
        to_qdrant(index, None, "things")
