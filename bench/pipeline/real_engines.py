"""With real engines: what reading files costs, and how long a text waits while other modalities run."""

from __future__ import annotations

import statistics
import tempfile
import threading
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

import bindrt
from bench.pipeline.engine_input import engine_rows, repeated
from bench.pipeline.original import beside_original
from bench.pipeline.original import report as report_original
from bindrt.benchmark import inputs, made_inputs, scenarios
from bindrt.benchmark.arrivals import poisson
from bindrt.benchmark.comparison import Effort
from bindrt.benchmark.distributions import latencies, spread
from bindrt.benchmark.measure import Configuration, measure
from bindrt.benchmark.systems import ModelSystem
from bindrt.benchmark.timing import interleaved
from bindrt.bundle import open_bundle
from bindrt.engines import Engine
from bindrt.preprocess.dispatch import prepare_views

#: The targets: a share and a factor.
TARGETS = {"share of the engine": 0.95, "text p99, times alone": 2.0}


def files_beside_engine(
    model: bindrt.Model, items: scenarios.Items, seconds: float, rounds: int
) -> list[dict[str, Any]]:
    """By modality, items a second: from files through the pipeline, and by the engine on ready tensors."""
    system = ModelSystem(model)
    found = []
    for modality, given in items.items():
        # Texts differ in length; other items are as long as the first for the engine.
        ready = [engine_rows(model, modality, item) for item in (given if modality == "text" else given[:1])]
        engine = model.engine(modality)
        timings = interleaved({"prepare": lambda m=modality, g=given: prepare_views(m, g[0])}, 5)
        alone, whole = [], []
        for number in range(rounds + 1):
            per_item = statistics.fmean(
                engine_seconds(engine, rows, model.embed_dim, seconds / len(ready)) for rows in ready
            )
            run = scenarios.offline(system, items, [modality], seconds)
            if number:
                alone.append(1 / per_item)
                whole.append(run.items[modality] / run.seconds[modality])
        found.append(
            {
                "modality": modality,
                "prepare_seconds": timings["prepare"].median,
                "engine_seconds": 1 / statistics.median(alone),
                "engine_items_per_second": spread(alone),
                "files_items_per_second": spread(whole),
                "share": spread([w / a for w, a in zip(whole, alone, strict=True)]),
            }
        )
    return found


def engine_seconds(engine: Engine, rows: np.ndarray, embed_dim: int, seconds: float) -> float:
    """Seconds that the engine takes for one item, in full batches of items like it."""
    batch, items = repeated(rows, engine.max_batch)
    out = np.empty((len(batch), embed_dim), np.float32)
    engine.run(batch, out)
    calls, begin = 0, perf_counter()
    while (taken := perf_counter() - begin) < seconds or not calls:
        engine.run(batch, out)
        calls += 1
    return taken / calls / items


def text_among_others(
    bundle: Path | str, items: scenarios.Items, rate: float, count: int, rounds: int
) -> dict[str, Any]:
    """Latencies of texts at random times: alone, and while all other modalities run as fast as they can.

    The ways take turns; each way's model has its own engines.
    """
    others_yield = bindrt.PipelineOptions(background=tuple(m for m in items if m != "text"))
    ways = {"default": {}, "one thread": {"threads": 1}, "background": {"pipeline": others_yield}}
    found: dict[str, dict[str, list[Any]]] = {way: {"alone": [], "mixed": []} for way in ways}
    for number in range(rounds):
        for way, options in ways.items():
            with bindrt.load(bundle, **options) as model:
                system = ModelSystem(model)
                arrivals = poisson(rate, count, ["text"], number)
                for case in ("alone", "mixed"):
                    with OtherModalities(system, items if case == "mixed" else {}):
                        trial = scenarios.server(system, items, arrivals, rate, 60.0, {})
                    found[way][case].append(latencies(trial.latencies["text"]))
    return {"rate": rate, "ways": {way: summary(cases) for way, cases in found.items()}}


def summary(cases: dict[str, list[Any]]) -> dict[str, Any]:
    alone, mixed = ([run["p99"] for run in cases[case]] for case in ("alone", "mixed"))
    ratios = [b / a for a, b in zip(alone, mixed, strict=True)]
    return {**cases, "p99_times_alone": spread(ratios)}


class OtherModalities:
    """While inside: every modality but text through ``stream``, each from a thread of its own."""

    def __init__(self, system: ModelSystem, items: scenarios.Items) -> None:
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(system, m, given))
            for m, given in items.items()
            if m != "text"
        ]

    def _run(self, system: ModelSystem, modality: str, given: Sequence[object]) -> None:
        def source() -> Iterator[object]:
            for item in cycle(given):
                if self._stop.is_set():
                    return
                yield item

        for _ in system.stream(modality, source(), None, 0):
            if self._stop.is_set():
                return  # what waits is dropped

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()
        if self._threads:
            self._stop.wait(1.0)  # until batches run

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def beside_loop(bundle: str, sources: inputs.Sources, seconds: float, rounds: int) -> list[dict[str, Any]]:
    """``offline`` from files, in turns with the plain loop: one ``embed`` call an item."""
    options = {
        "engine": "auto",
        "precision": None,
        "threads": None,
        "tensors": False,
        "made": True,
        "folder": "",
    }
    effort = Effort(seconds, rounds)
    found = measure(
        open_bundle(bundle),
        sources,
        ["offline"],
        "no",
        effort,
        [Configuration()],
        ["loop"],
        options,
        lambda _: None,
    )
    return list(found["offline"])


def measure_all(
    bundle: str, parts: Sequence[str], modalities: Sequence[str] | None, seconds: float, rounds: int,
    rate: float, count: int, precision: str,
) -> dict[str, Any]:  # fmt: skip
    """The ``parts``: ``files``, ``text``, ``loop``, ``original``; the last in ``precision``."""
    found: dict[str, Any] = {"bundle": Path(bundle).name, "asked": TARGETS}
    with tempfile.TemporaryDirectory() as folder:
        with bindrt.load(bundle, modalities=modalities) as model:
            sources = made_inputs.make(model.modalities, Path(folder))
            items = inputs.open_items(sources, tensors=False)
            if "files" in parts:
                found["files"] = files_beside_engine(model, items, seconds, rounds)
        if "text" in parts:
            found["text"] = text_among_others(bundle, items, rate, count, rounds)
        if "loop" in parts:
            found["loop"] = beside_loop(bundle, sources, seconds, rounds)
        if "original" in parts:
            found["original"] = beside_original(bundle, sources, seconds, rounds, precision)
    return found


def report(found: dict[str, Any]) -> None:
    print(f"\n{found['bundle']}")
    if "files" in found:
        report_files(found["files"])
    if "text" in found:
        report_text(found["text"])
    if "loop" in found:
        print("from files, times as many items a second as the plain loop")
    for e in found.get("loop", ()):
        if "bindrt_faster" in e:
            times = e["bindrt_faster"]
            print(f"  {e['modality']:<8} {times['median']:5.2f}× ({times['low']:.2f} to {times['high']:.2f})")
    if "original" in found:
        report_original(found["original"])


def report_files(found: list[dict[str, Any]]) -> None:
    print("items a second from files, and of the engine on ready tensors")
    for e in found:
        share = e["share"]
        print(
            f"  {e['modality']:<8} {e['files_items_per_second']['median']:9.1f}"
            f" {e['engine_items_per_second']['median']:9.1f}   {share['median']:4.0%}"
            f" ({share['low']:.0%} to {share['high']:.0%})   preparing"
            f" {1e3 * e['prepare_seconds']:.2f} ms, engine {1e3 * e['engine_seconds']:.2f} ms an item"
        )
    print(f"  target: {TARGETS['share of the engine']:.0%} where preparing is the smaller part")


def report_text(found: dict[str, Any]) -> None:
    print(f"p99 of {found['rate']:g} texts a second while all others run, beside alone (target: 2×)")
    for way, e in found["ways"].items():
        alone, mixed = (1e3 * statistics.median(r["p99"] for r in e[c]) for c in ("alone", "mixed"))
        times = e["p99_times_alone"]
        print(
            f"  {way:<11} {mixed:7.1f} beside {alone:6.1f} ms   {times['median']:.1f}×"
            f" ({times['low']:.1f} to {times['high']:.1f})"
        )
