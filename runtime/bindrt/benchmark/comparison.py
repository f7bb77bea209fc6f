"""Runs the scenarios on several systems in turns, and compares what they answer.

A result calls a system a *side*.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from bindrt.benchmark.distributions import curve, latencies, spread
from bindrt.benchmark.rate_search import RateSearch

SCENARIOS = ("single", "offline", "server")
#: The fewest requests of a trial: fewer have no 99th percentile.
LEAST_ARRIVALS = 100
#: The bound, where the user gives none: so many times the latency of a request alone, and at least so much.
BOUND_FACTOR, LEAST_BOUND = 4.0, 0.01
BINDRT = "bindrt"
Entry = dict[str, Any]
Say = Callable[[str], None]


class Side(Protocol):
    """A system's name, and what it replies to a command (see ``worker``)."""

    name: str

    def ask(self, request: dict[str, Any]) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Case:
    """Modalities whose requests run at once; ``name`` is the modality, or ``mixed``."""

    name: str
    modalities: tuple[str, ...]


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    Attributes:
        seconds: how long a run takes.
        runs: how many runs are counted; one more, which is not counted, comes first.
        bound: seconds in which 99 % must be answered; None: from the latency of a request alone.
        in_flight: requests of a stream in work at once; None: four full batches.
        priorities: the requests' priorities by modality; 0 for others.
        seed: the seed of the random arrivals.
    """

    seconds: float
    runs: int
    bound: float | None = None
    in_flight: int | None = None
    priorities: Mapping[str, int] = field(default_factory=dict)
    seed: int = 0

    def load(self, scenario: str, case: Case, share: float = 1.0) -> dict[str, Any]:
        return {
            "do": "load",
            "scenario": scenario,
            "modalities": list(case.modalities),
            "seconds": share * self.seconds,
            "in_flight": self.in_flight,
            "priorities": dict(self.priorities),
        }


def cases_of(modalities: Sequence[str], mixed: str) -> list[Case]:
    """Each modality alone, and all at once: ``mixed`` is ``also``, ``only`` or ``no``."""
    alone = [Case(m, (m,)) for m in modalities] if mixed != "only" else []
    together = [Case("mixed", tuple(modalities))] if mixed != "no" and len(modalities) > 1 else []
    return alone + together


def run_load(sides: Sequence[Side], scenario: str, case: Case, effort: Effort, say: Say) -> list[Entry]:
    """Runs of ``single`` or ``offline``: each side once a round, after one round that is not counted."""
    replies: dict[str, list[dict[str, Any]]] = {side.name: [] for side in sides}
    for number in range(effort.runs + 1):
        for side in sides:
            say(f"{scenario}, {case.name}: {side.name}, run {number} of {effort.runs}")
            reply = side.ask(effort.load(scenario, case, 1.0 if number else 0.5))
            if number:
                replies[side.name].append(reply)
    shown = single_entries if scenario == "single" else offline_entries
    entries = [entry for side in sides for entry in shown(side.name, case, replies[side.name])]
    return compared(entries, "p50" if scenario == "single" else "items_per_second")


def single_entries(name: str, case: Case, replies: Sequence[Mapping[str, Any]]) -> list[Entry]:
    entries = []
    for m in case.modalities:
        runs = [latencies(reply["latencies"][m]) for reply in replies]
        together = [second for reply in replies for second in reply["latencies"][m]]
        entries.append(
            {
                "case": case.name, "modality": m, "side": name,
                "all": latencies(together), "runs": runs,
                "p50": spread([run["p50"] for run in runs]),
                "curve": curve(together), "stages": mean_stages(replies, m),
            }
        )  # fmt: skip
    return entries


def offline_entries(name: str, case: Case, replies: Sequence[Mapping[str, Any]]) -> list[Entry]:
    """An entry a modality; where several ran at once also their sum, whose modality is ``all``."""

    def entry(modality: str, rates: Sequence[float], items: int) -> Entry:
        return {
            "case": case.name, "modality": modality, "side": name,
            "items_per_second": spread(rates), "items": items,
            "stages": mean_stages(replies, modality),
        }  # fmt: skip

    rates = {m: [r["items"][m] / r["seconds"][m] for r in replies] for m in case.modalities}
    entries = [entry(m, rates[m], sum(r["items"][m] for r in replies)) for m in case.modalities]
    if len(entries) > 1:
        total = [sum(each) for each in zip(*rates.values(), strict=True)]
        entries.append(entry("all", total, sum(e["items"] for e in entries)))
    return entries


def mean_stages(replies: Sequence[Mapping[str, Any]], modality: str) -> dict[str, float]:
    """Mean seconds of each stage over the runs; empty where the system has no stages."""
    found = [reply["stages"].get(modality, {}) for reply in replies]
    return {stage: sum(f[stage] for f in found) / len(found) for stage in found[0]} if all(found) else {}


def compared(entries: list[Entry], number: str) -> list[Entry]:
    """Adds to the other sides' entries how many times faster bindrt is, round by round."""
    ours = {(e["case"], e["modality"]): e[number]["runs"] for e in entries if e["side"] == BINDRT}
    for entry in entries:
        mine = ours.get((entry["case"], entry["modality"]))
        if entry["side"] != BINDRT and mine:
            pairs = zip(mine, entry[number]["runs"], strict=True)
            faster = [b / a if number == "p50" else a / b for a, b in pairs]
            entry["bindrt_faster"] = spread(faster)
    return entries


def run_server(sides: Sequence[Side], case: Case, effort: Effort, say: Say) -> list[Entry]:
    """The highest rate that each side holds; their trials take turns."""
    alone: dict[str, float] = {}
    for side in sides:
        say(f"server, {case.name}: {side.name}, one request after the other")
        reply = side.ask(effort.load("single", case, 0.5))
        alone[side.name] = max(latencies(reply["latencies"][m])["p50"] for m in case.modalities)
    bound = effort.bound or max(BOUND_FACTOR * max(alone.values()), LEAST_BOUND)
    searches = {
        side.name: RateSearch(0.5 / alone[side.name], confirmations=effort.runs - 1) for side in sides
    }
    trials: dict[str, list[dict[str, Any]]] = {side.name: [] for side in sides}
    going = True
    while going:
        going = False
        for side in sides:
            rate = searches[side.name].next()
            if rate is None:
                continue
            going = True
            say(f"server, {case.name}: {side.name}, {rate:.4g} requests a second")
            trial = side.ask(server_request(case, effort, rate, bound, len(trials[side.name])))
            trials[side.name].append(trial)
            searches[side.name].record(rate, trial["held"])
    return compared_rates(
        [server_entry(s.name, case, bound, searches[s.name], trials[s.name]) for s in sides]
    )


def server_request(case: Case, effort: Effort, rate: float, bound: float, number: int) -> dict[str, Any]:
    # A growing queue exceeds the bound only after a while.
    seconds = max(effort.seconds, 10 * bound)
    return {
        "do": "server",
        "modalities": list(case.modalities),
        "rate": rate,
        "count": max(round(rate * seconds), LEAST_ARRIVALS * len(case.modalities)),
        "seed": effort.seed + number,
        "bound": bound,
        "priorities": dict(effort.priorities),
    }


def server_entry(
    name: str, case: Case, bound: float, search: RateSearch, trials: Sequence[Mapping[str, Any]]
) -> Entry:
    at_rate = [t for t in trials if t["held"] and t["rate"] == search.held]
    seconds = {m: [s for t in at_rate for s in t["latencies"][m]] for m in case.modalities}
    return {
        "case": case.name,
        "side": name,
        "bound": bound,
        "rate": search.held if search.found else None,
        "not_held": search.failed,
        "latencies": {m: latencies(s) for m, s in seconds.items()},
        "curves": {m: curve(s) for m, s in seconds.items()},
        "trials": [{name: t[name] for name in ("rate", "held", "why", "sent")} for t in trials],
    }


def compared_rates(entries: list[Entry]) -> list[Entry]:
    ours = next((e["rate"] for e in entries if e["side"] == BINDRT), None)
    for entry in entries:
        if entry["side"] != BINDRT and ours and entry["rate"]:
            entry["bindrt_faster"] = ours / entry["rate"]
    return entries


def differences(
    ours: Mapping[str, Sequence[float]], theirs: Mapping[str, Sequence[float]]
) -> dict[str, float]:
    """By modality, the largest difference between the coordinates of two unit vectors."""
    return {m: float(np.abs(np.asarray(ours[m]) - np.asarray(theirs[m])).max()) for m in ours}
