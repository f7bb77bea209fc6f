"""Ray Data with a model in each actor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from bindrt.integrations.ray import Embed, actor_threads
from support.embedding import PHOTO

pytestmark = pytest.mark.deep  # Ray starts several processes


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    found = pytest.importorskip("ray", reason="ray is not installed (extra ray)")
    pytest.importorskip("ray.data", reason="ray is installed without its part data (extra ray)")
    found.init(num_cpus=2, include_dashboard=False, object_store_memory=100 << 20)
    yield found
    found.shutdown()


def test_rows_come_back_with_vectors_and_errors(ray: Any, tmp_path: Path) -> None:
    rows = [{"n": n, "photo": str(PHOTO) if n % 10 else "none.jpg"} for n in range(200)]
    found = ray.data.from_items(rows).map_batches(
        Embed,
        fn_constructor_kwargs={"bundle": "tiny", "columns": {"image": "photo"}},
        compute=ray.data.ActorPoolStrategy(size=2),
        batch_size=16,
        batch_format="pyarrow",
    )
    found.write_parquet(str(tmp_path))
    table = pq.read_table(tmp_path).sort_by("n")
    wanted = Embed("tiny", {"image": "photo"})({"photo": [str(PHOTO)]})["image_embedding"][0]
    assert table["n"].to_pylist() == list(range(200))
    for row in table.to_pylist():
        if row["n"] % 10:
            assert np.allclose(row["image_embedding"], wanted, atol=1e-5)
            assert row["image_error"] is None
        else:
            assert row["image_embedding"] is None
            assert row["image_error"] == "'none.jpg': there is no such file; check the path"


def test_an_actor_computes_with_the_cpus_that_it_has(ray: Any) -> None:
    assert actor_threads() is None  # here is no actor
    assert ray.get(ray.remote(num_cpus=2)(actor_threads).remote()) == 2
    assert ray.get(ray.remote(num_cpus=0.5)(actor_threads).remote()) is None
