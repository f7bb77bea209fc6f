"""Both forms of ``bind-export --triton`` on the real server, beside the same pipeline in this process.

Pictures, sounds and texts, alone and in batches of 16; and an ensemble whose items eight processes prepare
beside one whose items one process prepares. All servers run at once, and are asked in turns. What an item
costs each kind of process is told too, and how often the server calls each model. The server is that of ``pip
install nvidia-pytriton``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil

import bindrt
from bench.serve.here import throughput
from bench.serve.items import MODALITIES, batch, items
from bench.serve.server import HOST, Server, load
from bench.triton import sweep as sweeping
from bench.triton.requests import request
from bench.triton.server import home, serving
from bench.triton.tables import MANY, ONE, kept
from bench.triton.work import Work, work_so_far
from bindrt.benchmark.machine import describe_machine, package_versions
from bindrt.benchmark.results import write_json
from bindrt.bundle import open_bundle
from bindrt.pipeline.options import BULK
from bindrt_export.triton import RepositoryRequest, write_repository
from bindrt_export.triton.pbtxt import of_map, pbtxt

#: The repositories that are compared: form and processes that prepare.
REPOSITORIES = {"model": ("model", 1), ONE: ("ensemble", 1), MANY: ("ensemble", 8)}
#: Connections with single items, and with batches.
ALONE, TOGETHER = 32, 4
#: Items of a request: an ensemble takes 21 recordings at most, since each has three views.
BATCH = 16
#: Seconds of requests before those that are measured.
_WARM = 0.5


@dataclass(frozen=True)
class Case:
    """What is sent: requests of so many items, over so many connections."""

    modality: str
    count: int
    connections: int
    given: list[Any]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench triton", description=__doc__)
    parser.add_argument("--bundle", default="tiny")
    parser.add_argument("--repository", nargs="+", choices=tuple(REPOSITORIES), default=tuple(REPOSITORIES))
    parser.add_argument("--modality", nargs="+", choices=MODALITIES, default=MODALITIES)
    parser.add_argument("--engine", default="auto", help="the engine that computes, in all of them")
    parser.add_argument("--rounds", type=int, default=5, help="of each measurement; medians are shown")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each round")
    parser.add_argument(
        "--sweep",
        nargs="*",
        type=int,
        metavar="N",
        help="also single items by tritonclient over gRPC, so many under way at a time, in turn",
    )
    parser.add_argument("--json", type=Path, metavar="OUT")
    args = parser.parse_args(arguments)
    if isinstance(missing := home(), str):
        print(missing, file=sys.stderr)
        return 1
    machine = {**describe_machine(), **package_versions("nvidia-pytriton")}
    result: dict[str, Any] = {"machine": machine, "asked": {"kept": 0.9}, "here": {}, "served": {}}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        of = items(folder)
        model = stack.enter_context(bindrt.load(args.bundle, engine=args.engine, pipeline=BULK))
        model.warm_up()
        servers = {each: stack.enter_context(_serving(args, each, folder)) for each in args.repository}
        for modality in args.modality:
            for count, connections in ((1, ALONE), (BATCH, TOGETHER)):
                case = Case(modality, count, connections, batch(of[modality], count))
                found, here = measure(args, case, servers, model, folder)
                if count == BATCH:
                    result["here"][modality] = here
                for each, rates in found.items():
                    result["served"].setdefault(each, {}).setdefault(modality, {})[str(count)] = rates
        if args.sweep is not None:
            steps = args.sweep or sweeping.CONCURRENCIES
            files = {m: _file(folder / f"{m}.item", of[m][0]) for m in args.modality}
            result["sweep"] = {
                name: {
                    m: sweeping.sweep(f"{HOST}:{triton.grpc_port}", m, file, steps, args.seconds)
                    for m, file in files.items()
                }
                for name, triton in servers.items()
            }
    result["kept"] = kept(result["served"])
    report(result)
    if args.json:
        write_json(args.json, result)
    return 0


def _file(path: Path, item: bytes | str) -> Path:
    path.write_bytes(item.encode() if isinstance(item, str) else item)
    return path


def _serving(args: argparse.Namespace, name: str, folder: Path) -> Any:
    """The server of one of the repositories, which is written for it."""
    form, processes = REPOSITORIES[name]
    place = folder / name.replace(" ", "_").replace(",", "")
    encoders = "python" if form == "ensemble" else None  # the wheel's server has no other backend
    asked = RepositoryRequest(place, form, encoders, processes, modalities=args.modality)
    write_repository(open_bundle(args.bundle).path, asked)
    for bundle in place.glob("*/1/bundle"):
        with open(bundle.parents[1] / "config.pbtxt", "a", encoding="utf-8") as config:
            config.write(_parameter("engine", args.engine))
    return serving(place)


def _parameter(name: str, value: str) -> str:
    return pbtxt({"parameters": of_map({name: {"string_value": value}})})


def measure(
    args: argparse.Namespace, case: Case, servers: dict[str, Any], model: bindrt.Model, folder: Path
) -> tuple[dict[str, Any], float]:
    """Items a second from each repository, and here; all in turns, medians of the rounds."""
    sent = request(case.modality, case.given, HOST)
    job = {"mode": "closed", "connections": case.connections}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in servers}
    work: dict[str, list[Work]] = {name: [] for name in servers}
    here = []
    for name, triton in servers.items():
        load(_server(triton), sent, folder, **job, seconds=_WARM)
        work[name].append(work_so_far(triton))
    for turn in range(args.rounds):
        for name, triton in list(servers.items())[:: 1 if turn % 2 else -1]:
            one = load(_server(triton), sent, folder, **job, seconds=args.seconds)
            rate = one["requests"] * case.count / one["seconds"]
            found[name].append({"rate": rate, "generator_share": one["share"], "requests": one["requests"]})
        if case.count == BATCH:
            here.append(throughput(model, case.modality, case.given, case.connections, args.seconds))
    told = {}
    for name, rounds in found.items():
        spent = work_so_far(servers[name]) - work[name][0]
        told[name] = {
            "rate": median(each["rate"] for each in rounds),
            "generator_share": median(each["generator_share"] for each in rounds),
            "rounds": [each["rate"] for each in rounds],
            **spent.of(case.count * sum(int(each["requests"]) for each in rounds)),
        }
    return told, median(here) if here else 0.0


def _server(triton: Any) -> Server:
    return Server(triton.port, psutil.Process(triton.pid))


def report(result: dict[str, Any]) -> None:
    print(f"{'':<24}" + "".join(f"{m:>9}{f'{m} {BATCH}':>11}" for m in result["here"]))
    here = "".join(f"{'':>9}{rate:>11,.0f}" for rate in result["here"].values())
    print(f"{'in this process':<24}{here}")
    for name, found in result["served"].items():
        cells = "".join(
            f"{each['1']['rate']:>9,.0f}{each[str(BATCH)]['rate']:>11,.0f}" for each in found.values()
        )
        print(f"{name:<24}{cells}")
    for modality, shares in result["kept"].items():
        print(f"{modality}: eight processes keep {', '.join(f'{s:.2f} of {c}' for c, s in shares.items())}")
    sweeping.report(result.get("sweep", {}))
    for name, found in result["served"].items():
        for modality, cases in found.items():
            for count, one in cases.items():
                cost = ", ".join(f"{who} {ms:.3f}" for who, ms in one["cpu_ms_per_item"].items())
                calls = ", ".join(f"{m} {n:.2f}" for m, n in one["calls_per_item"].items())
                print(f"{name}, {modality} {count}: ms of an item: {cost}; calls for an item: {calls}")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
