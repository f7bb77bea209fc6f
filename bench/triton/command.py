"""Both forms of ``bind-export --triton`` on the real server, beside the same pipeline in this process.

Pictures, sounds and texts, alone and in batches of 16; and an ensemble whose items eight processes prepare
beside one whose items one process prepares. The server is that of ``pip install nvidia-pytriton``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import psutil

import bindrt
from bench.serve.here import throughput
from bench.serve.items import MODALITIES, batch, items
from bench.serve.server import HOST, Server, load
from bench.triton.requests import request
from bench.triton.server import home, serving
from bindrt.benchmark.machine import describe_machine, package_versions
from bindrt.benchmark.results import write_json
from bindrt.bundle import open_bundle
from bindrt_export.triton import RepositoryRequest, write_repository

#: The repositories that are compared: form and processes that prepare.
REPOSITORIES = {"model": ("model", 1), "ensemble": ("ensemble", 1), "ensemble, 8 processes": ("ensemble", 8)}
#: Connections with single items, and with batches.
ALONE, TOGETHER = 32, 4
#: Items of a request: an ensemble takes 21 recordings at most, since each has three views.
BATCH = 16


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench triton", description=__doc__)
    parser.add_argument("--bundle", default="tiny")
    parser.add_argument("--repository", nargs="+", choices=tuple(REPOSITORIES), default=tuple(REPOSITORIES))
    parser.add_argument("--modality", nargs="+", choices=MODALITIES, default=MODALITIES)
    parser.add_argument("--rounds", type=int, default=3, help="of each measurement; medians are shown")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each round")
    parser.add_argument("--json", type=Path, metavar="OUT")
    args = parser.parse_args(arguments)
    if isinstance(missing := home(), str):
        print(missing, file=sys.stderr)
        return 1
    machine = {**describe_machine(), **package_versions("nvidia-pytriton")}
    result: dict[str, Any] = {"machine": machine, "here": {}, "served": {}}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        of = items(folder)
        with bindrt.load(args.bundle) as model:
            model.warm_up()
            for modality in args.modality:
                given = batch(of[modality], BATCH)
                rates = [
                    throughput(model, modality, given, TOGETHER, args.seconds) for _ in range(args.rounds)
                ]
                result["here"][modality] = median(rates)
        for repository in args.repository:
            result["served"][repository] = measure(args, repository, of, folder)
    report(result)
    if args.json:
        write_json(args.json, result)
    return 0


def measure(args: argparse.Namespace, name: str, of: dict[str, list[Any]], folder: Path) -> dict[str, Any]:
    """Items a second from one repository: of single items, and of batches."""
    form, processes = REPOSITORIES[name]
    place = folder / name.replace(" ", "_").replace(",", "")
    encoders = "python" if form == "ensemble" else None  # the wheel's server has no other backend
    asked = RepositoryRequest(place, form, encoders, processes, modalities=args.modality)
    write_repository(open_bundle(args.bundle).path, asked)
    found: dict[str, Any] = {}
    with serving(place) as triton:
        server = Server(triton.port, psutil.Process(triton.pid))
        for modality in args.modality:
            found[modality] = {}
            for count, connections in ((1, ALONE), (BATCH, TOGETHER)):
                sent = request(modality, batch(of[modality], count), HOST)
                rounds = [
                    load(server, sent, folder, mode="closed", connections=connections, seconds=args.seconds)
                    for _ in range(args.rounds)
                ]
                found[modality][count] = {
                    "rate": median(each["requests"] * count / each["seconds"] for each in rounds),
                    "generator_share": median(each["share"] for each in rounds),
                }
    return found


def report(result: dict[str, Any]) -> None:
    print(f"{'':<24}" + "".join(f"{m:>9}{f'{m} {BATCH}':>11}" for m in result["here"]))
    here = "".join(f"{'':>9}{rate:>11,.0f}" for rate in result["here"].values())
    print(f"{'in this process':<24}{here}")
    for name, found in result["served"].items():
        cells = "".join(f"{each[1]['rate']:>9,.0f}{each[BATCH]['rate']:>11,.0f}" for each in found.values())
        print(f"{name:<24}{cells}")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
