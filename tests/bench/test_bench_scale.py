"""``python -m bench scale``: what it calls equal, and what it counts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.scale import pictures, tables
from bench.scale.jobs import Look, Run, run
from bench.scale.kills import require_equal
from bench.scale.ways import require_vectors

VECTORS = pa.list_(pa.float32(), 2)
WRITES = """
import json, sys
import pyarrow as pa, pyarrow.parquet as pq
from pathlib import Path
from typing import Any
Path(sys.argv[1]).mkdir()
pq.write_table(pa.table({"a": [1, 2]}), sys.argv[1] + "/part-0.parquet")
print(json.dumps({"engine_seconds": 1.5}))
"""


def rows(vectors: list[list[float] | None], sources: list[str]) -> pa.Table:
    return pa.table({"source": sources, "image_embedding": pa.array(vectors, VECTORS)})


def test_rows_are_equal_up_to_the_rounding_of_other_batches() -> None:
    one = rows([[0.6, 0.8], None], ["a", "b"])
    assert require_equal(one, rows([[0.6, 0.8], None], ["a", "b"])) == 0
    assert 0 < require_equal(one, rows([[0.600002, 0.8], None], ["a", "b"])) < 1e-5


@pytest.mark.parametrize(
    "other",
    [
        rows([[0.6, 0.8], None], ["a", "c"]),
        rows([None, [0.6, 0.8]], ["a", "b"]),
        rows([[0.6, 0.8], [0.6, 0.8]], ["a", "b"]),
        rows([[0.61, 0.79], None], ["a", "b"]),
        rows([[0.6, 0.8]], ["a"]),
        rows([[0.6, 0.8], None, None], ["a", "b", "b"]),
    ],
)
def test_a_row_that_is_lost_doubled_or_another_ends_the_bench(other: pa.Table) -> None:
    with pytest.raises(SystemExit):
        require_equal(rows([[0.6, 0.8], None], ["a", "b"]), other)


def test_a_row_without_a_vector_ends_the_bench(tmp_path: Path) -> None:
    pq.write_table(rows([[0.6, 0.8], None], ["a", "b"]), tmp_path / "part.parquet")
    require_vectors("plain", tmp_path, 1)
    with pytest.raises(SystemExit, match="1 vectors of 2"):
        require_vectors("plain", tmp_path, 2)


def test_the_most_memory_of_each_quarter() -> None:
    looks = [Look(at, 0, memory, store) for at, memory, store in ((0, 1, 0), (1, 5, 9), (4, 3, 2), (8, 2, 0))]
    done = Run(8.0, 1.0, {}, looks)
    assert done.memory_by_quarter() == [5, 0, 3, 2]
    assert done.store == 9


def test_what_a_job_printed_is_kept_and_a_failure_ends_the_bench(tmp_path: Path) -> None:
    assert run("job", [sys.executable, "-c", WRITES], tmp_path / "out").said == {"engine_seconds": 1.5}
    with pytest.raises(SystemExit, match="no such thing"):
        run("job", [sys.executable, "-c", "raise SystemExit('no such thing')"], tmp_path / "other")


def test_one_picture_of_a_hundred_is_damaged(tmp_path: Path) -> None:
    damaged = pictures.make(tmp_path / "pictures", 350)
    assert sorted(damaged) == [str(tmp_path / "pictures" / f"{number:06d}.jpg") for number in (100, 200, 300)]
    assert len(list((tmp_path / "pictures").iterdir())) == 350


def test_the_page_has_a_paragraph_for_each_part() -> None:
    machine = {"machine": {"cpu": "a cpu", "cores": 2}}
    way = {"items_per_second": 100.0, "cores_busy": 1.9, "store_bytes": 0, "engine_share": 0.5}
    slow = {"items_per_second": 40.0, "cores_busy": 2.0, "store_bytes": 2e9}
    rate = {"rows_per_second": 1000.0, "grown_bytes": 1e6}
    result: dict[str, Any] = {
        "ways": {**machine, "plain": way, "daft": slow},
        "peer": {**machine, "daft": way, "daft, torchvision and eager": slow},
        "kill": {
            **machine, "rows": 9, "seconds": {"undisturbed": 1.0, "killed": 2.0}, "kills": 3,
            "between_kills": 10.0, "largest_difference": 1.5e-7,
        },
        "pictures": {
            **machine, "pictures": 100, "damaged": 1, "errors": 1, "items_per_second": 50.0,
            "memory_by_quarter": [2**20, 0, 0, 2**21],
        },
        "stores": {**machine, "dim": 8, "stores": {"qdrant": {"bulk": rate, "plain": rate, "ratio": 1.0}}},
        "ib-score": {
            **machine, "pairs_per_second": {"bindrt": 3.0, "plain": 1.0}, "ratio": 3.0, "difference": 1e-4
        },
    }  # fmt: skip
    text = tables.section(result)
    for wanted in (
        "| plain | 100 | 1.00 | 1.90 | 50% | 0 MB |",
        "| daft | 40 | 0.40 | 2.00 | – | 2000 MB |",
        "| daft | 100.0 | 40.0 | 2.5× |",
        "each 10 s, 3 times while 9 rows",
        "1 MiB in the first quarter",
        "| qdrant | 1000 | 1000 | 1.0× | 1 MB |",
        "3.00 pairs/s, beside 1.00",
        "on a cpu, 2 cores.",
    ):
        assert wanted in " ".join(text.split("\n")), wanted
    assert "Nothing is kept yet" in tables.section({})
