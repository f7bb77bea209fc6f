"""What is asked of the sides, in turns, and what becomes of their answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bindrt.benchmark.numbers import curve, latencies, spread
from bindrt.benchmark.search import RateSearch

SCENARIOS = ("single", "offline", "server")
#: Requests of a trial at least: of fewer no 99 % can be told.
LEAST_ARRIVALS = 100
#: Without a bound of the user's: so many times the latency of a request alone, but not below.
BOUND_FACTOR, LEAST_BOUND = 4.0, 0.01
OURS = "bindrt"
Entry = dict[str, Any]
Say = Callable[[str], None]


class Asked(Protocol):
    """A side: its name, and what it replies to a command (see ``side``)."""

    way: str

    def ask(self, request: dict[str, Any]) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Case:
    """Modalities that are loaded at once; ``name`` is the modality, or ``mixed``."""

    name: str
    modalities: tuple[str, ...]


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    Attributes:
        seconds: of a run.
        runs: of each, beside one that is not counted.
        bound: seconds in which 99 % must be answered; None: from the latency of a request alone.
        in_flight: requests of a stream in work at once; None: four full batches.
        priorities: of the requests, by modality; 0 for others.
        seed: of the arrivals.
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


def run_load(sides: Sequence[Asked], scenario: str, case: Case, effort: Effort, say: Say) -> list[Entry]:
    """Runs of ``single`` or ``offline``: each side once a round, after one round that is not counted."""
    replies: dict[str, list[dict[str, Any]]] = {side.way: [] for side in sides}
    for number in range(effort.runs + 1):
        for side in sides:
            say(f"{scenario}, {case.name}: {side.way}, run {number} of {effort.runs}")
            reply = side.ask(effort.load(scenario, case, 1.0 if number else 0.5))
            if number:
                replies[side.way].append(reply)
    shown = single_entries if scenario == "single" else offline_entries
    entries = [entry for side in sides for entry in shown(side.way, case, replies[side.way])]
    return compared(entries, "p50" if scenario == "single" else "items_per_second")


def single_entries(way: str, case: Case, replies: Sequence[Mapping[str, Any]]) -> list[Entry]:
    entries = []
    for m in case.modalities:
        runs = [latencies(reply["latencies"][m]) for reply in replies]
        together = [second for reply in replies for second in reply["latencies"][m]]
        entries.append(
            {
                "case": case.name, "modality": m, "side": way,
                "all": latencies(together), "runs": runs,
                "p50": spread([run["p50"] for run in runs]),
                "curve": curve(together), "stages": mean_stages(replies, m),
            }
        )  # fmt: skip
    return entries


def offline_entries(way: str, case: Case, replies: Sequence[Mapping[str, Any]]) -> list[Entry]:
    """One a modality; of several at once also their sum, whose modality is ``all``."""

    def entry(modality: str, rates: Sequence[float], items: int) -> Entry:
        return {
            "case": case.name, "modality": modality, "side": way,
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
    """Mean seconds of each stage over the runs; empty where a side has no stages."""
    found = [reply["stages"].get(modality, {}) for reply in replies]
    return {stage: sum(f[stage] for f in found) / len(found) for stage in found[0]} if all(found) else {}


def compared(entries: list[Entry], number: str) -> list[Entry]:
    """To the entries of others: how many times faster bindrt is, round by round."""
    ours = {(e["case"], e["modality"]): e[number]["runs"] for e in entries if e["side"] == OURS}
    for entry in entries:
        mine = ours.get((entry["case"], entry["modality"]))
        if entry["side"] != OURS and mine:
            pairs = zip(mine, entry[number]["runs"], strict=True)
            faster = [b / a if number == "p50" else a / b for a, b in pairs]
            entry["bindrt_faster"] = spread(faster)
    return entries


def run_server(sides: Sequence[Asked], case: Case, effort: Effort, say: Say) -> list[Entry]:
    """The highest rate that each side holds; their trials take turns."""
    alone: dict[str, float] = {}
    for side in sides:
        say(f"server, {case.name}: {side.way}, one request after the other")
        reply = side.ask(effort.load("single", case, 0.5))
        alone[side.way] = max(latencies(reply["latencies"][m])["p50"] for m in case.modalities)
    bound = effort.bound or max(BOUND_FACTOR * max(alone.values()), LEAST_BOUND)
    searches = {side.way: RateSearch(0.5 / alone[side.way], confirmations=effort.runs - 1) for side in sides}
    trials: dict[str, list[dict[str, Any]]] = {side.way: [] for side in sides}
    going = True
    while going:
        going = False
        for side in sides:
            rate = searches[side.way].next()
            if rate is None:
                continue
            going = True
            say(f"server, {case.name}: {side.way}, {rate:.4g} requests a second")
            trial = side.ask(server_request(case, effort, rate, bound, len(trials[side.way])))
            trials[side.way].append(trial)
            searches[side.way].record(rate, trial["held"])
    return compared_rates([server_entry(s.way, case, bound, searches[s.way], trials[s.way]) for s in sides])


def server_request(case: Case, effort: Effort, rate: float, bound: float, number: int) -> dict[str, Any]:
    # A queue that grows takes some bounds of time to show.
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
    way: str, case: Case, bound: float, search: RateSearch, trials: Sequence[Mapping[str, Any]]
) -> Entry:
    at_rate = [t for t in trials if t["held"] and t["rate"] == search.held]
    seconds = {m: [s for t in at_rate for s in t["latencies"][m]] for m in case.modalities}
    return {
        "case": case.name,
        "side": way,
        "bound": bound,
        "rate": search.held if search.found else None,
        "not_held": search.failed,
        "latencies": {m: latencies(s) for m, s in seconds.items()},
        "curves": {m: curve(s) for m, s in seconds.items()},
        "trials": [{name: t[name] for name in ("rate", "held", "why", "sent")} for t in trials],
    }


def compared_rates(entries: list[Entry]) -> list[Entry]:
    ours = next((e["rate"] for e in entries if e["side"] == OURS), None)
    for entry in entries:
        if entry["side"] != OURS and ours and entry["rate"]:
            entry["bindrt_faster"] = ours / entry["rate"]
    return entries
