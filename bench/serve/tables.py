"""What docs/serving.md shows of kept results: ``python -m bench readme --tables`` writes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bench.engines.tables import NONE, row
from bench.serve.items import BATCH

COMMAND = "python -m bench serve --json bench/results/serve-amd-epyc.json"
INFINITY_COMMAND = "python -m bench serve --part infinity"
_NAMES = {"text": "texts", "image": "pictures", "audio": "sounds of 0.9 MB"}
Found = Mapping[str, Any]


def throughput_and_latency(result: Found) -> str:
    """Markdown: items a second, and what the server adds to the latency at half load."""
    if "throughput" not in result or "latency" not in result:
        return f"Nothing is kept yet; `{COMMAND}` measures.\n"
    head = ["", "served", "in process", "share", "of what the load left", "added at half load, p50 and p99"]
    head.append("a server that only reads takes")
    lines = [row([f"batches of {BATCH}", *head[1:]]), row(["---"] * len(head))]
    lines += [row(_cells(result, modality)) for modality in result["throughput"]]
    return "\n".join([*lines, "", *_notes(result)]) + "\n"


def _cells(result: Found, modality: str) -> list[str]:
    many, alone = result["throughput"][modality], result["latency"].get(modality)
    share = many["server"] / many["here"]
    rest = share / (1 - many["generator_share"])
    cells = [_NAMES[modality], f"{many['server']:,.0f}/s", f"{many['here']:,.0f}/s"]
    cells += [f"{share:.0%}", f"{rest:.0%}"]
    if alone is None:
        return [*cells, NONE, NONE]
    return [*cells, _both(alone["added"]), _both(alone["reader"]) if "reader" in alone else NONE]


def _both(times: Found) -> str:
    return f"{times['p50']:.1f} and {times['p99']:.1f} ms"


def _notes(result: Found) -> Iterator[str]:
    asked, machine = result["asked"], result["machine"]
    yield (
        f"Asked: a share of {asked['share']:.0%}, {asked['texts']:,} texts/s, {asked['added p50']} and "
        f"{asked['added p99']:g} ms."
    )
    if held := result.get("held"):
        yield (
            f"{held['connections']} connections were held; {held['answered']} of their {held['asked']} "
            "requests were answered."
        )
    spin = result.get("here_spin_us")
    options = "its defaults" if spin is None else f"`spin_us={spin}`, as the server's has"
    yield f"The pipeline in process has {options}."
    yield f"Measured by `{COMMAND}` on {machine['cpu']}, {machine['cores']:g} cores."


def beside_infinity(result: Found) -> str:
    """Markdown: requests a second and latency at equal load, of both servers."""
    if "infinity" not in result:
        return f"Nothing is kept of infinity-emb yet; `{INFINITY_COMMAND}` measures.\n"
    head = ["one item a request", "server", "requests/s at most", "at equal load", "p50", "p99"]
    lines = [row(head), row(["---"] * len(head))]
    for modality, found in result["infinity"].items():
        for name in (name for name in found if name != "rate"):
            one = found[name]
            cells = [_NAMES[modality], name, f"{one['most']:,.0f}", f"{found['rate']:,.0f}/s"]
            lines.append(row([*cells, f"{one['p50']:.1f} ms", f"{one['p99']:.1f} ms"]))
    machine = result["machine"]
    lines += ["", f"Measured by `{INFINITY_COMMAND}` on {machine['cpu']}, {machine['cores']:g} cores."]
    return "\n".join(lines) + "\n"
