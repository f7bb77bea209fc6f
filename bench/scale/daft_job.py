"""Embeds a table through Daft: ``python -m bench.scale.daft_job BUNDLE TABLE OUT``."""

from __future__ import annotations

import sys

from bench.scale.files import SHARES
from bindrt.integrations.daft import Embed


def main(bundle: str, table: str, output: str) -> None:
    import daft

    embed = Embed(bundle, {name: name for name in SHARES})
    embed(daft.read_parquet(table)).write_parquet(output)


if __name__ == "__main__":
    main(*sys.argv[1:])
