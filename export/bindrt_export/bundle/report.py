"""The verification report: what was exported, how far it is from torch, how large and how fast it is here.

``make_report`` gives the data (``report.json``), ``html`` a page of it without scripts or other files.
"""

from __future__ import annotations

import platform
from collections.abc import Collection, Iterable, Mapping, Sequence
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bindrt.hardware import peak_memory
from bindrt.modalities import MODALITIES
from bindrt_export.artifacts.store import Artifact
from bindrt_export.verification.comparison import Difference, limit
from bindrt_export.verification.retrieval import recall_text

REPORT = "report.json"
PAGE = "report.html"
COLUMNS = ("modalities", "precision", "engine", "for", "largest difference", "mean difference", "cosine",
           "allowed", "retrieval", "verdict", "size", "build", "latency")  # fmt: skip
STYLE = """body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;color:#222}
table{border-collapse:collapse;width:100%}
th,td{padding:.3rem .6rem;border-bottom:1px solid #ddd;text-align:right}
th:first-child,td:first-child{text-align:left}.failed{color:#b00;font-weight:bold}.ok{color:#070}
dl{display:grid;grid-template-columns:max-content auto;gap:.2rem 1rem}dd{margin:0}"""


def make_report(
    checkpoint: str,
    modalities: Sequence[str],
    float32: Mapping[str, Artifact],
    derived: Sequence[Artifact],
    listed: Sequence[Artifact],
    reused: Collection[str],
) -> dict[str, Any]:
    """What was measured; it differs from run to run.

    Args:
        checkpoint: its name.
        float32: the float32 graphs, by encoder.
        derived: what was made from them.
        listed: what the bundle holds; the float32 graphs may be missing in it.
        reused: encoders whose graphs were there already.
    """
    return {
        "checkpoint": Path(checkpoint).name,
        "encoders": {e: {**a.measured, "bytes": a.size(), "reused": e in reused} for e, a in float32.items()},
        "engines": [
            {**{k: a.entry[k] for k in ("encoder", "engine", "precision", "target")}, **a.measured,
             "seconds": a.seconds} for a in derived
        ],
        "results": [row(a, modalities) for a in listed],
        "bytes": bytes_of([*float32.values(), *derived]),
        "peak_rss_bytes": peak_memory(),
        "made_with": {
            "machine": platform.machine(),
            "python": platform.python_version(),
            **{name: version(name) for name in ("bindrt", "torch", "onnx", "onnxruntime", "numpy")},
        },
    }  # fmt: skip


def bytes_of(artifacts: Iterable[Artifact]) -> int:
    """Bytes of all files of artifacts, each file counted once."""
    return sum({str(f["path"]): int(f["bytes"]) for a in artifacts for f in a.files}.values())


def row(artifact: Artifact, modalities: Sequence[str]) -> dict[str, Any]:
    """One line of the report: an encoder in a precision on an engine."""
    entry, measured = artifact.entry, artifact.measured
    # A plan is not run here; what its graph computes is compared instead.
    compared = measured.get("difference_to_torch") or measured.get("graph_difference_to_torch")
    within = Difference(**compared).within(entry["precision"]) if compared else None
    return {
        "encoder": entry["encoder"],
        "modalities": [m for m in modalities if MODALITIES[m].encoder == entry["encoder"]],
        "engine": entry["engine"],
        "precision": entry["precision"],
        "target": entry["target"],
        "was_run": "difference_to_torch" in measured,
        **(compared or {}),
        "limit": limit(entry["precision"]),
        "within_limit": within,
        "bytes": artifact.size(),
        "build_seconds": artifact.seconds,
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
        recall_text(r),
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
