"""Embeds a table through Daft: ``python -m bench.scale.daft_job BUNDLE TABLE OUT``; prints JSON."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from bench.scale.files import SHARES
from bindrt.integrations import Embedded
from bindrt.integrations.daft import Embed
from bindrt.statistics import work_of


class Counted(Embed):
    """Writes what its model has worked, since Daft hands back rows only.

    Attributes:
        told: the file of the one worker that ``max_concurrency=1`` gives.
    """

    told: str

    def embed(self, rows: Mapping[str, Iterable[object]], root: str | None = None) -> dict[str, Embedded]:
        found = super().embed(rows, root)
        Path(self.told).write_text(json.dumps(asdict(work_of(self.model.stats()))), encoding="utf-8")
        return found


def main(bundle: str, table: str, output: str) -> None:
    import daft

    embed = Counted(bundle, {name: name for name in SHARES})
    with tempfile.TemporaryDirectory() as folder:
        embed.told = str(Path(folder) / "work.json")
        embed(daft.read_parquet(table)).write_parquet(output)
        work = json.loads(Path(embed.told).read_text(encoding="utf-8"))
    print(json.dumps({f"{stage}_seconds": seconds for stage, seconds in work.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
