"""What docs/triton.md shows of a kept result: ``python -m bench readme --tables`` writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.engines.tables import row

COMMAND = "python -m bench triton --json bench/results/triton-amd-epyc.json"
#: The two ensembles whose throughput is compared.
ONE, MANY = "ensemble", "ensemble, 8 processes"


def kept(served: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """The part of one process's throughput that eight keep, by modality and items of a request."""
    if ONE not in served or MANY not in served:
        return {}
    return {
        modality: {count: served[MANY][modality][count]["rate"] / one["rate"] for count, one in cases.items()}
        for modality, cases in served[ONE].items()
    }


def section(result: Mapping[str, Any]) -> str:
    """Markdown: items a second of each form, and what an item costs in which process."""
    if not result:
        return f"Nothing is kept yet; `{COMMAND}` measures.\n"
    counts = list(next(iter(next(iter(result["served"].values())).values())))
    cases = [(modality, count) for modality in result["here"] for count in counts]
    names = [f"{modality}, {_requests(count)}" for modality, count in cases]
    lines = [row(["items/s", *names]), row(["---"] * (len(cases) + 1))]
    here = [f"{result['here'][m]:,.0f}" if count == counts[-1] else "" for m, count in cases]
    lines.append(row(["the same pipeline in the bench's process", *here]))
    for name, found in result["served"].items():
        lines.append(row([name, *(f"{found[m][count]['rate']:,.0f}" for m, count in cases)]))
    if result["kept"]:
        lines.append(row(["eight processes against one", *(f"{result['kept'][m][c]:.2f}" for m, c in cases)]))
    lines += ["", "Milliseconds of processor time for an item, by process:", ""]
    lines += [row(["", *names]), row(["---"] * (len(cases) + 1))]
    for name, found in result["served"].items():
        lines.append(row([name, *(_cost(found[m][count]["cpu_ms_per_item"]) for m, count in cases)]))
    machine = result["machine"]
    lines += ["", f"Measured by `{COMMAND}` on {machine['cpu']}, {machine['cores']:g} cores."]
    return "\n".join(lines) + "\n"


def _requests(count: str) -> str:
    return "one a request" if count == "1" else f"{count} a request"


def _cost(spent: Mapping[str, float]) -> str:
    """By step: a model has the modality's or the encoder's name before it."""
    steps: dict[str, float] = {}
    for name, ms in spent.items():
        step = name.rpartition("_")[2]
        steps[step] = steps.get(step, 0.0) + ms
    return ", ".join(f"{step} {ms:.2g}" for step, ms in sorted(steps.items(), key=lambda each: -each[1]))
