"""A table of mixed inputs: pictures, sounds, videos and texts, a row each."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bindrt.benchmark import made_inputs

#: How many of a hundred rows are of each modality.
SHARES = {"image": 70, "audio": 20, "text": 9, "video": 1}


def make(folder: Path, count: int) -> Path:
    """Writes the files, a link of its own for each row, and the table, whose columns are the modalities."""
    made = made_inputs.make(SHARES, folder)
    kinds = [modality for modality, share in SHARES.items() for _ in range(share)]
    rows: list[dict[str, str]] = []
    for number in range(count):
        modality = kinds[number * 37 % len(kinds)]
        item = made[modality][number % len(made[modality])]
        if modality != "text":
            link = folder / f"{number:06d}{Path(item).suffix}"
            os.link(item, link)
            item = str(link)
        rows.append({modality: item})
    schema = pa.schema([(name, pa.string()) for name in SHARES])
    table = folder / "inputs.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema), table, row_group_size=4096)
    return table
