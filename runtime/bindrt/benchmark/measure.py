"""A whole benchmark: opens the systems, goes through scenarios and cases, puts the result together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

from bindrt import bundle as bundles
from bindrt.benchmark import comparison, inputs, made_inputs, registry, results
from bindrt.benchmark.machine import describe_machine
from bindrt.benchmark.worker_process import WorkerProcess
from bindrt.errors import EngineError


@dataclass(frozen=True)
class Configuration:
    """Options of bindrt's pipeline; None: as ``load`` has them.

    Attributes:
        batch: the most rows of a batch.
        wait: microseconds that a batch waits for more rows.
    """

    batch: int | None = None
    wait: int | None = None


#: The largest difference between the vectors of two systems. Rounding, bf16 and int8 stay below it.
MOST_DIFFERENCE = 0.1


def measure(
    bundle: bundles.Bundle,
    sources: inputs.Sources,
    scenarios: Sequence[str],
    mixed: str,
    effort: comparison.Effort,
    configurations: Sequence[Configuration],
    against: Sequence[str],
    options: dict[str, Any],
    say: Callable[[str], None],
) -> dict[str, Any]:
    """The result, as docs/bind-bench.md describes it.

    Args:
        sources: items by modality; each modality is a case, and all together as ``mixed`` says.
        against: other systems, measured in turns with bindrt.
        options: what the systems are told besides: engine, precision, threads, tensors, folder.
        say: told what is being done.

    Raises:
        Error: an item, an engine or a system fails; two systems compute different vectors.
    """
    facts = describe_machine()
    request = {**options, "bundle": str(bundle.path), "sources": sources, "batch": None, "wait": None}
    found: dict[str, Any] = {name: [] for name in comparison.SCENARIOS}
    sides: list[dict[str, Any]] = []
    chosen: dict[str, str] = {}
    for number, each in enumerate(configurations):
        with ExitStack() as stack:
            opened = []
            for name in [comparison.BINDRT, *(against if number == 0 else ())]:
                say(f"opening {name}")
                opened.append(WorkerProcess(name, {**request, **asdict(each)}))
                stack.callback(opened[-1].close)
            apart = differences(opened, say)
            for name in dict.fromkeys(scenarios):
                for case in comparison.cases_of(list(sources), mixed):
                    entries = run(opened, name, case, effort, say)
                    if len(configurations) > 1:
                        entries = [{**e, "swept": True, **asdict(each)} for e in entries]
                    found[name] += entries
            if number == 0:
                sides = [described_side(side, apart.get(side.name)) for side in opened]
                chosen = opened[0].chosen
    return {
        "format": results.FORMAT,
        "schema": results.SCHEMA,
        "bindrt": sides[0]["packages"]["bindrt"],
        "machine": facts,
        "bundle": {"name": bundle.path.name, **chosen},
        "inputs": described_inputs(sources, options),
        "settings": {
            **asdict(effort), "mixed": mixed, "tensors": options["tensors"], "threads": options["threads"],
            "engine": options["engine"], "configurations": [asdict(each) for each in configurations],
        },
        "sides": sides,
        **found,
    }  # fmt: skip


def run(
    sides: Sequence[WorkerProcess],
    scenario: str,
    case: comparison.Case,
    effort: comparison.Effort,
    say: Callable[[str], None],
) -> list[comparison.Entry]:
    if scenario == "server":
        return comparison.run_server(sides, case, effort, say)
    # How much of a mixture each modality gets depends on the system, so mixtures cannot be compared.
    alone = len(case.modalities) == 1
    return comparison.run_load(sides if alone else sides[:1], scenario, case, effort, say)


def differences(sides: Sequence[WorkerProcess], say: Callable[[str], None]) -> dict[str, dict[str, float]]:
    """By side and modality, how far its vectors are from bindrt's.

    Raises:
        EngineError: so far that it cannot be the same model.
    """
    if len(sides) == 1:
        return {}
    say("comparing vectors")
    vectors = {side.name: side.ask({"do": "vectors"}) for side in sides}
    ours = vectors.pop(comparison.BINDRT)
    found = {name: comparison.differences(ours, theirs) for name, theirs in vectors.items()}
    for name, by_modality in found.items():
        worst = max(by_modality, key=lambda m: by_modality[m])
        if not by_modality[worst] <= MOST_DIFFERENCE:
            raise EngineError(
                name, f"its {worst} vector differs from bindrt's by {by_modality[worst]:.2g}",
                "it does not compute the same model; a ratio would mean nothing",
            )  # fmt: skip
    return found


def described_side(side: WorkerProcess, difference: dict[str, float] | None) -> dict[str, Any]:
    """What the result says about a system."""
    counts = not registry.provider(side.name).makes_graphs
    about = {
        "name": side.name,
        "about": side.about,
        "packages": side.packages,
        "peak_memory": side.ask({"do": "memory"})["peak"] if counts else None,
    }
    return about if difference is None else {**about, "difference": difference}


def described_inputs(sources: inputs.Sources, options: dict[str, Any]) -> dict[str, str]:
    """By modality, what the inputs are, in words."""
    ready = ", as ready tensors" if options["tensors"] else ""
    return {
        m: (made_inputs.maker(m).description if options["made"] else f"{len(given)} given") + ready
        for m, given in sources.items()
    }
