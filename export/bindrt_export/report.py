"""The verification report: what was exported, how far it is from torch, how large and how fast it is here.

``rows`` is the data (also in ``report.json``), ``html`` a page of it without scripts or other files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from bindrt.modalities import MODALITIES
from bindrt_export.engines import Built
from bindrt_export.parts import ENGINE, PRECISION, Part
from bindrt_export.retrieval import told
from bindrt_export.verify import Difference, limit

REPORT = "report.json"
PAGE = "report.html"
COLUMNS = ("modalities", "precision", "engine", "for", "largest difference", "mean difference", "cosine",
           "allowed", "retrieval", "verdict", "size", "build", "latency")  # fmt: skip
STYLE = """body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;color:#222}
table{border-collapse:collapse;width:100%}
th,td{padding:.3rem .6rem;border-bottom:1px solid #ddd;text-align:right}
th:first-child,td:first-child{text-align:left}.failed{color:#b00;font-weight:bold}.ok{color:#070}
dl{display:grid;grid-template-columns:max-content auto;gap:.2rem 1rem}dd{margin:0}"""


def rows(
    parts: Mapping[str, Part], engines: Sequence[Built], precisions: Sequence[str], modalities: Sequence[str]
) -> list[dict[str, Any]]:
    """One entry for each encoder, precision and engine of the bundle."""
    found = []
    if PRECISION in precisions:
        for name, part in parts.items():
            seconds = sum(part.measured["seconds"].values())
            where = (name, ENGINE, PRECISION, "cpu")
            found.append(row(where, part.measured, part.size(), seconds, modalities))
    for built in engines:
        e = built.entry
        where = (e["encoder"], e["engine"], e["precision"], e["target"])
        size = sum(int(f["bytes"]) for f in e["files"])
        found.append(row(where, built.measured, size, built.measured["seconds"], modalities))
    return found


def row(
    where: tuple[str, str, str, str],
    measured: Mapping[str, Any],
    size: int,
    seconds: float,
    modalities: Sequence[str],
) -> dict[str, Any]:
    encoder, engine, precision, target = where
    # A plan is not run here; what its graph computes is compared instead.
    compared = measured.get("difference_to_torch") or measured.get("graph_difference_to_torch")
    within = Difference(**compared).within(precision) if compared else None
    return {
        "encoder": encoder,
        "modalities": [m for m in modalities if MODALITIES[m].encoder == encoder],
        "engine": engine,
        "precision": precision,
        "target": target,
        "was_run": "difference_to_torch" in measured,
        **(compared or {}),
        "limit": limit(precision),
        "within_limit": within,
        "bytes": size,
        "build_seconds": round(seconds, 3),
        "latency_seconds": measured.get("latency_seconds"),
        "kept_in_floats": measured.get("kept", {}),
        "retrieval": {},
    }


def html(report: Mapping[str, Any]) -> str:
    """The page."""
    head = "".join(f"<th>{escape(name)}</th>" for name in COLUMNS)
    body = "\n".join(line(r) for r in report["results"])
    kept = "\n".join(
        f"<dt>{escape(r['encoder'])} {r['precision']} {escape(name)}</dt><dd>{escape(why)}</dd>"
        for r in report["results"]
        for name, why in r["kept_in_floats"].items()
    )
    made = ", ".join(f"{escape(k)} {escape(str(v))}" for k, v in report["made_with"].items())
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(report["checkpoint"])}: export report</title>
<style>{STYLE}</style></head><body>
<h1>{escape(report["checkpoint"])}</h1>
<p>{report["bytes"] / 1e6:.1f} MB, made in {report["seconds"]:.1f} s with at most
{report["peak_rss_bytes"] / 1e9:.2f} GB of memory. {made}.</p>
<p>Differences are those of unit vectors to float32 PyTorch, over the probes of the export. Latency is one
input on this machine. A plan for a GPU was built, not run: its row compares what its graph computes.</p>
<table><thead><tr>{head}</tr></thead><tbody>
{body}
</tbody></table>
{"<h2>Kept in higher precision</h2><dl>" + kept + "</dl>" if kept else ""}
</body></html>
"""


def line(r: Mapping[str, Any]) -> str:
    cells = [
        ", ".join(r["modalities"]),
        r["precision"],
        r["engine"],
        r["target"],
        number(r.get("max_abs"), "{:.1e}"),
        number(r.get("mean_abs"), "{:.1e}"),
        number(r.get("min_cosine"), "{:.6f}"),
        r["limit"],
        told(r),
        verdict(r),
        number(r["bytes"] / 1e6, "{:.1f} MB"),
        number(r["build_seconds"], "{:.1f} s"),
        number(r["latency_seconds"] and r["latency_seconds"] * 1e3, "{:.1f} ms"),
    ]
    kind = "failed" if r["within_limit"] is False else "ok"
    return "<tr>" + "".join(f'<td class="{kind}">{escape(c)}</td>' if c == verdict(r) else
                            f"<td>{escape(c)}</td>" for c in cells) + "</tr>"  # fmt: skip


def verdict(r: Mapping[str, Any]) -> str:
    """In a word or two."""
    if r["within_limit"] is None:
        return "not run"
    if not r["within_limit"]:
        return "past it"
    return "ok" if r["was_run"] else "ok, not run"


def number(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)
