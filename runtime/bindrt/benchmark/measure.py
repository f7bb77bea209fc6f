"""A whole benchmark: opens the sides, goes through scenarios and cases, puts the result together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

from bindrt import bundle as bundles
from bindrt.benchmark import agree, inputs, output, plan
from bindrt.benchmark.facts import machine
from bindrt.benchmark.remote import Remote
from bindrt.errors import EngineError


@dataclass(frozen=True)
class Configuration:
    """Of bindrt's pipeline: rows of a batch, and microseconds that one waits; None: as ``load`` has them."""

    batch: int | None = None
    wait: int | None = None


#: Vectors of two sides may differ by so much: what is below is rounding, or bf16 and int8 against float32.
MOST_DIFFERENCE = 0.1
EXPORTED = ("ort", "openvino")


def measure(
    bundle: bundles.Bundle,
    sources: inputs.Sources,
    scenarios: Sequence[str],
    mixed: str,
    effort: plan.Effort,
    configurations: Sequence[Configuration],
    against: Sequence[str],
    options: dict[str, Any],
    say: Callable[[str], None],
) -> dict[str, Any]:
    """The result, as docs/bind-bench.md describes it.

    Args:
        sources: items by modality; each modality is a case, and all together as ``mixed`` says.
        against: other ways, measured in turns with bindrt's.
        options: what the sides are told besides: engine, precision, threads, tensors, folder.

    Raises:
        Error: an item, an engine or a side fails; two sides compute different vectors.
    """
    facts = machine()
    request = {**options, "bundle": str(bundle.path), "sources": sources, "batch": None, "wait": None}
    found: dict[str, Any] = {name: [] for name in plan.SCENARIOS}
    sides: list[dict[str, Any]] = []
    for number, each in enumerate(configurations):
        with ExitStack() as stack:
            opened = []
            for way in [plan.OURS, *(against if number == 0 else ())]:
                say(f"opening {way}")
                opened.append(Remote(way, {**request, **asdict(each)}))
                stack.callback(opened[-1].close)
            told = differences(opened, say)
            for name in dict.fromkeys(scenarios):
                for case in plan.cases_of(list(sources), mixed):
                    entries = run(opened, name, case, effort, say)
                    if len(configurations) > 1:
                        entries = [{**e, "swept": True, **asdict(each)} for e in entries]
                    found[name] += entries
            if number == 0:
                sides = [describe(side, told.get(side.way)) for side in opened]
    return {
        "format": output.FORMAT,
        "schema": output.SCHEMA,
        "bindrt": sides[0]["packages"]["bindrt"],
        "machine": facts,
        "bundle": {
            "name": bundle.path.name,
            "space": bundle.manifest.space,
            "precision": options["precision"] or bundle.manifest.default_precision,
        },
        "inputs": described_inputs(sources, options),
        "settings": {
            **asdict(effort), "mixed": mixed, "tensors": options["tensors"], "threads": options["threads"],
            "engine": options["engine"], "configurations": [asdict(each) for each in configurations],
        },
        "sides": sides,
        **found,
    }  # fmt: skip


def run(
    sides: Sequence[Remote], scenario: str, case: plan.Case, effort: plan.Effort, say: Callable[[str], None]
) -> list[plan.Entry]:
    if scenario == "server":
        return plan.run_server(sides, case, effort, say)
    # What each modality gets of a mixture depends on the side: there is nothing to compare.
    alone = len(case.modalities) == 1
    return plan.run_load(sides if alone else sides[:1], scenario, case, effort, say)


def differences(sides: Sequence[Remote], say: Callable[[str], None]) -> dict[str, dict[str, float]]:
    """By side, how far its vectors are from bindrt's.

    Raises:
        EngineError: so far that it cannot be the same model.
    """
    if len(sides) == 1:
        return {}
    say("comparing vectors")
    vectors = {side.way: side.ask({"do": "vectors"}) for side in sides}
    found = {way: agree.differences(vectors[plan.OURS], theirs) for way, theirs in vectors.items()}
    for way, by_modality in found.items():
        worst = max(by_modality, key=lambda m: by_modality[m])
        if not by_modality[worst] <= MOST_DIFFERENCE:
            raise EngineError(
                way, f"its {worst} vector differs from bindrt's by {by_modality[worst]:.2g}",
                "it does not compute the same model; a ratio would mean nothing",
            )  # fmt: skip
    return {way: by_modality for way, by_modality in found.items() if way != plan.OURS}


def describe(side: Remote, difference: dict[str, float] | None) -> dict[str, Any]:
    told = {
        "name": side.way,
        "about": side.about,
        "packages": side.packages,
        # Of the others it would be that of making their graph.
        "peak_memory": side.ask({"do": "memory"})["peak"] if side.way not in EXPORTED else None,
    }
    return told if difference is None else {**told, "difference": difference}


def described_inputs(sources: inputs.Sources, options: dict[str, Any]) -> dict[str, str]:
    """By modality, in words."""
    ready = ", as ready tensors" if options["tensors"] else ""
    return {
        m: (inputs.describe(m) if options["made"] else f"{len(given)} given") + ready
        for m, given in sources.items()
    }
