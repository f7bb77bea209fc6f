"""Mixed files through plain ``bind-embed``, Ray, Daft, and without bindrt; killed actors; many pictures; rows
into vector stores; IB-Score."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.scale import ib_score, kills, pictures, stores, ways
from bindrt.benchmark.machine import describe_machine, package_versions
from bindrt.benchmark.results import write_json

PACKAGES = (
    "ray", "daft", "torch", "torchvision", "torchaudio", "decord", "pyarrow", "qdrant-client", "milvus-lite",
    "lancedb", "psycopg",
)  # fmt: skip
Part = Callable[[argparse.Namespace, Path], dict[str, Any]]


def _ways(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    return ways.measure(ways.ours, options.bundle, options.sizes, options.rounds, folder)


def _peer(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    return ways.measure(ways.beside_others, options.bundle, options.peer_sizes, options.rounds, folder)


def _kill(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    return kills.measure(options.bundle, options.kill_rows, options.kill_seconds, folder)


def _pictures(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    return pictures.measure(options.bundle, options.pictures, folder)


def _stores(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    return stores.measure(options.store_rows, options.plain_rows, options.dim, options.rounds, folder)


def _ib_score(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    return ib_score.measure(options.bundle, options.pairs, options.rounds, folder)


PARTS: Mapping[str, Part] = {
    "ways": _ways,
    "kill": _kill,
    "peer": _peer,
    "pictures": _pictures,
    "stores": _stores,
    "ib-score": _ib_score,
}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench scale", description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--bundle", default="tiny")
    parser.add_argument("--sizes", type=int, nargs=2, default=(2000, 20_000), help="rows of two runs of ways")
    parser.add_argument("--peer-sizes", type=int, nargs=2, default=(500, 3000), help="the same of peer")
    parser.add_argument("--rounds", type=int, default=3, help="of ways and peer; medians are shown")
    parser.add_argument("--kill-rows", type=int, default=20_000)
    parser.add_argument("--kill-seconds", type=float, default=10.0, help="between two kills")
    parser.add_argument("--pictures", type=int, default=101_000)
    parser.add_argument("--store-rows", type=int, default=10_000, help="into each store")
    parser.add_argument("--plain-rows", type=int, default=500, help="the same, a call of the store's a row")
    parser.add_argument("--dim", type=int, default=1024, help="numbers of a row's vector")
    parser.add_argument("--pairs", type=int, nargs=2, default=(16, 80), help="of ib-score, in two runs")
    parser.add_argument(
        "--json", type=Path, default=Path("bench/results/scale.json"),
        help="parts that it has from earlier runs stay there",
    )  # fmt: skip
    parser.add_argument(
        "--note", default="", help="what else the machine did meanwhile; kept with the results"
    )
    options = parser.parse_args(arguments)
    for part in options.parts:
        machine = {**describe_machine(), "packages": package_versions(*PACKAGES)}
        with tempfile.TemporaryDirectory() as folder:
            found = PARTS[part](options, Path(folder))
        report(part, found)
        earlier = json.loads(options.json.read_text(encoding="utf-8")) if options.json.exists() else {}
        write_json(options.json, {**earlier, part: {"machine": machine, "note": options.note, **found}})
    return 0


def report(part: str, found: Mapping[str, Any]) -> None:
    if part in ("ways", "peer"):
        lines = _table(found)
    elif part == "stores":
        lines = _stores_table(found["stores"])
    else:
        lines = [f"{name}: {value}" for name, value in found.items()]
    print("\n".join([f"{part}:", *(f"  {line}" for line in lines)]), flush=True)


def _stores_table(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    lines = []
    for kind, of in found.items():
        words = [
            f"{way} {of[way]['rows_per_second']:.0f} rows/s, {of[way]['grown_bytes'] / 1e6:.0f} MB more"
            for way in ("bulk", "plain")
        ]
        lines.append(f"{kind:12} {'; '.join(words)}; ratio {of['ratio']:.1f}")
    return lines


def _table(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    first = next(iter(found.values()))["items_per_second"]
    lines = []
    for way, of in found.items():
        words = [f"{way:30} {of['items_per_second']:7.1f} items/s ({of['items_per_second'] / first:.2f})"]
        words.append(f"cores busy {of['cores_busy']:.2f}")
        if "engine_share" in of:
            words.append(
                f"engine {of['engine_share']:.0%}, preparing {of['prepare_share']:.0%} of the time a model"
            )
        words.append(f"object store {of['store_bytes'] / 1e6:.0f} MB")
        lines.append("; ".join(words))
    return lines
