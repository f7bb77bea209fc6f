"""``bind-serve`` beside the same pipeline in this process, with the same options.

Throughput of pictures, sounds and texts in batches of 64; latency that the server adds at half load, one item
a request; 1000 connections that stay open. The load generator runs on the same machine: its share is told.
``--part soak`` holds a load while workers are killed; ``--part infinity`` measures infinity-emb beside it.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import bindrt
from bench.serve.here import latencies, throughput
from bench.serve.infinity import beside_infinity
from bench.serve.infinity import report as report_infinity
from bench.serve.items import BATCH, MODALITIES, batch, items, request
from bench.serve.percentiles import percentiles
from bench.serve.reader import command as command_of_reader
from bench.serve.server import HOST, Server, free_port, load, running, serving
from bench.serve.soak import OPTIONS as SOAK_OPTIONS
from bench.serve.soak import report as report_soak
from bench.serve.soak import soak
from bindrt.benchmark.arrivals import poisson
from bindrt.benchmark.machine import describe_machine
from bindrt.benchmark.results import write_json
from bindrt.pipeline.options import BULK

PARTS = ("throughput", "latency", "held")
#: Asked for by name: they take long, or install much.
SOAK, PEER = "soak", "infinity"
#: Latencies that are told, and what they are.
TOLD = {
    "server": "served",
    "here": "here",
    "here_beside_reader": "here, while a server that only reads has the same requests",
    "reader": "that server",
    "late": "of what was served, before the generator sent it",
    "late_here": "of what was here, before the event loop began it",
}
#: Shares of the throughput here, texts a second, milliseconds.
TARGETS = {"share": 0.9, "texts": 20_000, "added p50": 1.5, "added p99": 5.0, "held": 1000}


def measure_throughput(
    server: Server, model: bindrt.Model, of: dict[str, list[Any]], args: argparse.Namespace, folder: Path
) -> dict[str, Any]:
    """Items a second of both, in turns; medians of the rounds."""
    found: dict[str, Any] = {}
    for modality in args.modality:
        given = batch(of[modality], BATCH)
        sent = request(modality, given, HOST)
        rounds = []
        for _ in range(args.rounds):
            served = load(
                server, sent, folder, mode="closed", connections=args.connections, seconds=args.seconds
            )
            rounds.append(
                {
                    "server": served["requests"] * BATCH / served["seconds"],
                    "generator_share": served["share"],
                    "here": throughput(model, modality, given, args.connections, args.seconds),
                }
            )
        found[modality] = {name: median(each[name] for each in rounds) for name in rounds[0]}
        found[modality]["rounds"] = rounds
    return found


def measure_latency(
    server: Server, model: bindrt.Model, of: dict[str, list[Any]], args: argparse.Namespace, folder: Path
) -> dict[str, Any]:
    """Milliseconds of single items at half of the rate that the server holds, and what it adds."""
    found: dict[str, Any] = {}
    port = free_port()
    with running(command_of_reader(port), port, "/") as reader:
        for modality in args.modality:
            item = of[modality][0]
            sent = request(modality, [item], HOST)
            most = load(server, sent, folder, mode="closed", connections=16, seconds=args.seconds)
            rate = most["requests"] / most["seconds"] / 2
            count = max(200, int(rate * args.seconds))
            rounds = []
            for seed in range(args.rounds):
                times = [arrival.at for arrival in poisson(rate, count, [modality], seed)]
                rounds.append(_latency_round(server, reader, model, {modality: item}, sent, times, folder))
            added = {p: median(r["server"][p] - r["here"][p] for r in rounds) for p in ("p50", "p99")}
            middle = {name: {p: median(r[name][p] for r in rounds) for p in added} for name in TOLD}
            found[modality] = {"rate": rate, "added": added, **middle, "rounds": rounds}
    return found


def _latency_round(
    server: Server,
    reader: Server,
    model: bindrt.Model,
    asked: dict[str, Any],
    sent: bytes,
    times: list[float],
    folder: Path,
) -> dict[str, Any]:
    """The same requests at the same times to the server, to the pipeline here, and to both it and ``reader``.

    The last tells how long a request takes here that only is read, while the pipeline computes as much: no
    server of this kind adds less.
    """
    job = {"mode": "open", "connections": 64, "times": times}
    served = load(server, sent, folder, **job)
    here, late_here = latencies(model, asked, times)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(load, reader, sent, folder, **job)
        beside, _ = latencies(model, asked, times)
        read = reading.result()
    found = {"server": served["latencies"], "here": here, "here_beside_reader": beside}
    found |= {"reader": read["latencies"], "late": served["late"], "late_here": late_here}
    return {**{name: percentiles(each) for name, each in found.items()}, "generator_share": served["share"]}


def measure_held(
    server: Server, of: dict[str, list[Any]], args: argparse.Namespace, folder: Path
) -> dict[str, Any]:
    """Whether each of many open connections is answered, twice."""
    sent = request("text", of["text"][:1], HOST)
    before = server.process.memory_info().rss
    found = load(server, sent, folder, mode="held", connections=args.held, pause=1.0)
    return {**found, "connections": args.held, "rss_growth": server.process.memory_info().rss - before}


def report(result: dict[str, Any]) -> None:
    for modality, found in result.get("throughput", {}).items():
        share, taken = found["server"] / found["here"], found["generator_share"]
        print(
            f"{modality:<6} batches of {BATCH}: {found['server']:,.0f}/s served, {found['here']:,.0f}/s here "
            f"({share:.0%}); the load generator took {taken:.0%} of the processor time, so that "
            f"{share / (1 - taken):.0%} of what it left were reached"
        )
    for modality, found in result.get("latency", {}).items():
        added = found["added"]
        print(
            f"{modality:<6} at {found['rate']:.0f} requests/s: "
            f"+{added['p50']:.2f} ms p50, +{added['p99']:.2f} ms p99"
        )
        for name, what in TOLD.items():
            print(f"       {what}: p50 {found[name]['p50']:.2f} ms, p99 {found[name]['p99']:.2f} ms")
    if held := result.get("held"):
        print(f"{held['connections']} connections: {held['answered']} of {held['asked']} requests answered")
    if found := result.get("soak"):
        report_soak(found)
    report_infinity(result.get("infinity", {}))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench serve", description=__doc__)
    parser.add_argument("--bundle", default="tiny")
    parser.add_argument("--part", nargs="+", choices=(*PARTS, SOAK, PEER), default=PARTS)
    parser.add_argument("--modality", nargs="+", choices=MODALITIES, default=MODALITIES)
    parser.add_argument("--rounds", type=int, default=5, help="of each measurement; medians are shown")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each round")
    parser.add_argument("--connections", type=int, default=4, help="and threads here, each with a batch")
    parser.add_argument("--held", type=int, default=TARGETS["held"], help="connections that stay open")
    parser.add_argument("--workers", type=int, help="processes of bind-serve")
    parser.add_argument(
        "--minutes", type=float, default=30.0, help="of --part soak; a worker dies each minute"
    )
    parser.add_argument("--json", type=Path, metavar="OUT")
    args = parser.parse_args(arguments)
    if SOAK in args.part and args.workers is None:
        args.workers = 2
    options = [*SOAK_OPTIONS] if SOAK in args.part else []
    options += [] if args.workers is None else ["--workers", str(args.workers)]
    result: dict[str, Any] = {"machine": describe_machine(), "asked": TARGETS, "workers": args.workers}
    result["here_spin_us"] = BULK.spin_us
    with tempfile.TemporaryDirectory() as name, bindrt.load(args.bundle, pipeline=BULK) as model:
        folder = Path(name)
        of = items(folder)
        model.warm_up()
        with serving(args.bundle, options) as server:
            if "throughput" in args.part:
                result["throughput"] = measure_throughput(server, model, of, args, folder)
            if "latency" in args.part:
                result["latency"] = measure_latency(server, model, of, args, folder)
            if "held" in args.part:
                result["held"] = measure_held(server, of, args, folder)
            if SOAK in args.part:
                result["soak"] = soak(server, model, of, args.modality, args.minutes)
        if PEER in args.part:
            result["infinity"] = beside_infinity(of, args.modality, args.rounds, args.seconds, folder)
    report(result)
    if args.json:
        write_json(args.json, result)
    return 0
