"""What ``bind-export`` shows: progress while it works, tables at the end."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from bindrt_export.progress import Progress as ExportProgress
from bindrt_export.verification.retrieval import recall_text

STAGES = {
    "weights": "writing weights",
    "trace": "tracing graph",
    "torch": "running torch",
    "verify": "comparing",
    "build": "building",
}


#: Columns of the widest table.
TABLE_WIDTH = 80


def human(size: float) -> str:
    """Bytes for people: 1.5 GB."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.2f} GB"


class SilentProgress:
    """For ``--json`` and for callers that do not watch."""

    def __enter__(self) -> ExportProgress:
        return self

    def __exit__(self, *_: object) -> None: ...

    def stage(self, name: str, stage: str, total: int = 0) -> None: ...

    def advance(self, name: str, amount: int) -> None: ...

    def done(self, name: str, seconds: float, size: int, note: str) -> None: ...


class RichProgress:
    """A line for each artifact: stage, bar, time, and at the end its size and difference to torch."""

    def __init__(self, console: Console) -> None:
        self._bars = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.fields[artifact]:<7}", markup=False, table_column=Column(no_wrap=True)),
            TextColumn("{task.description:<15}", table_column=Column(no_wrap=True)),
            BarColumn(bar_width=10),
            TimeElapsedColumn(table_column=Column(no_wrap=True, min_width=7)),
            TextColumn("{task.fields[note]}"),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> ExportProgress:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def stage(self, name: str, stage: str, total: int = 0) -> None:
        # A total of None pulses: a stage whose progress cannot be counted.
        self._bars.update(
            self._task(name), description=STAGES[stage], total=total or None, completed=0, visible=True
        )

    def advance(self, name: str, amount: int) -> None:
        self._bars.advance(self._task(name), amount)

    def done(self, name: str, seconds: float, size: int, note: str) -> None:
        self._bars.update(
            self._task(name), description="done", total=1, completed=1, note=f"{human(size)}, {note}"
        )

    def _task(self, name: str) -> TaskID:
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task("", total=None, artifact=name, note="")
        return self._tasks[name]


def table_console() -> Console:
    """For standard output; a narrow terminal wraps lines, which can be read, and cuts no numbers off."""
    console = Console(emoji=False)
    console.width = max(console.width, TABLE_WIDTH)
    return console


def compact_table(*columns: str) -> Table:
    """Fits 80 columns; the first column to the left, numbers to the right."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for i, name in enumerate(columns):
        table.add_column(name, justify="left" if i == 0 else "right", no_wrap=True)
    return table


def print_dry_run(result: dict[str, Any], console: Console) -> None:
    table = compact_table("encoder", "blocks × width", "heads", "parameters", "size", "precision", "engine")
    for name, e in result["encoders"].items():
        table.add_row(
            name,
            f"{e['depth']} × {e['width']}",
            str(e["heads"]),
            f"{e['parameters'] / 1e6:.1f} M",
            human(e["bytes"]),
            e["precision"],
            e["engine"],
        )
    console.print(table)
    console.print(
        f"{result['family']}, vectors of {result['embed_dim']}: {', '.join(result['modalities'])}. "
        f"Would write {human(result['bytes'])} ({human(result['disk_free'])} free) "
        f"and need about {human(result['memory'])} of memory.",
        soft_wrap=True,
    )
    if result["also"]:
        console.print(f"From these, and beside these sizes: {', '.join(result['also'])}.", soft_wrap=True)


def print_report(result: dict[str, Any], console: Console) -> None:
    table = compact_table("encoder", "size", "weights", "trace", "torch", "compare", "difference", "cosine")
    for name, e in result["encoders"].items():
        s, d = e["seconds"], e["difference_to_torch"]
        times = [f"{s[stage]:.1f} s" for stage in ("weights", "trace", "torch", "verify")]
        if e["reused"]:
            times = ["kept", "", "", ""]
        table.add_row(name, human(e["bytes"]), *times, f"{d['max_abs']:.1e}", f"{d['min_cosine']:.6f}")
    console.print(table)
    print_results(result["results"], console)
    console.print(
        f"{escape(result['bundle'])}: {human(result['bytes'])} in {result['seconds']:.1f} s, "
        f"peak memory {human(result['peak_rss_bytes'])}; "
        "difference: the largest to torch, of unit vectors",
        soft_wrap=True,
    )
    if result["gain"]:
        console.print(f"{result['gain']}.", markup=False, highlight=False, soft_wrap=True)
    if "triton" in result:
        print_repository(result["triton"], console)


def print_repository(result: dict[str, Any], console: Console) -> None:
    models = f"{result['repository']}: {', '.join(result['models'])}"
    command = f"tritonserver --model-repository {result['repository']}"
    console.print(f"{models}; {command}", markup=False, highlight=False, soft_wrap=True)


def print_results(results: list[dict[str, Any]], console: Console) -> None:
    """A line for each encoder, precision and engine of the bundle; report.html has more."""
    table = compact_table("encoder", "precision", "engine", "difference", "cosine", "size", "time", "latency")
    for r in results:
        compared = r["within_limit"] is not None
        color = "[red]" if r["within_limit"] is False else ""
        latency = r["latency_seconds"]
        table.add_row(
            r["encoder"],
            r["precision"],
            r["engine"],
            f"{color}{r['max_abs']:.1e}" if compared else "",
            f"{color}{r['min_cosine']:.6f}" if compared else "",
            human(r["bytes"]),
            f"{r['build_seconds']:.1f} s",
            f"{latency * 1e3:.1f} ms" if latency is not None else "not run",
        )
    console.print(table)
    for r in results:
        if r["retrieval"]:
            console.print(f"{r['precision']} {r['engine']}: {recall_text(r)}", soft_wrap=True)


def print_check(result: dict[str, Any], console: Console) -> None:
    table = compact_table("encoder", "as at export", "difference", "cosine", "time")
    encoders = {**result["encoders"], **result["computed"]}
    for name, e in encoders.items():
        if "error" in e:
            table.add_row(name, "[red]failed", "", "", "")
            continue
        verdict = "[green]ok" if e["ok"] else f"[red]not {e['limit']}"
        table.add_row(name, verdict, f"{e['max_abs']:.1e}", f"{e['min_cosine']:.6f}", f"{e['seconds']:.1f} s")
    console.print(table)
    for e in encoders.values():
        if "error" in e:
            console.print(e["error"], markup=False, highlight=False, soft_wrap=True)
    verdict = "[green]ok[/]" if result["ok"] else "[red]failed[/]"
    console.print(
        f"{escape(result['bundle'])}: {verdict}; {result['files']} files, {human(result['bytes'])}, "
        f"hashes as recorded; space {result['space']}",
        soft_wrap=True,
    )
