"""The table in the terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from bindrt.benchmark.tables import titled_table
from bindrt.benchmark.timing import duration

_QUIET = 0.95  # of the time on the core; below, the numbers are in doubt


def print_case(console: Console, case: dict[str, Any]) -> None:
    """One case: every alternative with its time, ratio and difference; then the limits."""
    threads = "" if case["threads"] == 1 else f", {case['threads']} threads"
    table = titled_table(f"{case['title']}{threads}", min_width=90)
    table.add_column("")
    for heading in ("time", "quartiles", "bindrt is", "difference"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("note", style="dim", overflow="fold")
    for entry in case["alternatives"]:
        if entry["role"] != "limit":
            table.add_row(*_row(case, entry), style="bold" if entry["role"] == "ours" else None)
    table.add_section()
    for limit in case.get("limits", []):
        share = f"{limit['share']:.0%} of it"
        table.add_row(f"limit: {limit['name']}", duration(limit["seconds"]), "", share, "", "")
    console.print(table)
    for problem in case["problems"]:
        warn(console, f"{problem['name']}: {problem['problem']}")


def warn(console: Console, text: str) -> None:
    console.print(text, style="yellow", highlight=False, markup=False)


def _row(case: dict[str, Any], entry: dict[str, Any]) -> tuple[str, ...]:
    times = entry["seconds"]
    ours = case.get("seconds")
    ratio = f"{times['median'] / ours:.2f} ×" if ours and entry["role"] != "ours" else ""
    difference = entry["largest_difference_to_bindrt"]
    note = entry["note"]
    if entry["same_work"] and difference is not None and difference > case["tolerance"]:
        note = "; ".join(filter(None, (note, f"DIFFERS by more than {case['tolerance']:g}")))
    return (
        f"{entry['name']}{' (original)' if entry['role'] == 'original' else ''}",
        duration(times["median"]),
        f"{duration(times['lower_quartile'])}–{duration(times['upper_quartile'])}",
        ratio,
        "" if difference is None or (entry["role"] == "ours" and difference == 0) else f"{difference:.1e}",
        note,
    )


def print_summary(console: Console, result: dict[str, Any]) -> None:
    """One line a case."""
    table = titled_table("Summary: how many times faster bindrt is")
    table.add_column("")
    for heading in ("bindrt", "original", "ratio", "goal", "best library", "ratio", "limit", "share"):
        table.add_column(heading, justify="left" if heading in ("best library", "limit") else "right")
    for case in result["cases"]:
        if "seconds" in case:
            table.add_row(*_summary_row(case))
    console.print(table)
    for name, limits in result["machine_limits"].items():
        console.print(
            f"{name}: copying {limits['copy_bytes_per_second'] / 1e9:.1f} GB/s moved, "
            f"matrix product {limits['float_operations_per_second'] / 1e9:.0f} GFLOP/s",
            highlight=False,
        )
    share = undisturbed(result["cases"])
    text = f"the processes had {share:.0%} of their core"
    if share < _QUIET:
        warn(console, f"{text}: other programs ran, and longer calls look slower than they are")
    else:
        console.print(text, highlight=False)
    for problem in result["problems"]:
        warn(console, f"{problem['side']}: {problem['problem']}")


def undisturbed(cases: list[dict[str, Any]]) -> float:
    """Processor time divided by time, over all calls on one thread; 1 on a machine that does nothing else."""
    timed = [entry["seconds"] for case in cases if case["threads"] == 1 for entry in case["alternatives"]]
    wall = sum(times["mean"] * times["calls"] for times in timed)
    return sum(times["processor"] * times["calls"] for times in timed) / wall if wall else 1.0


def _summary_row(case: dict[str, Any]) -> tuple[str, ...]:
    threads = "" if case["threads"] == 1 else f" · {case['threads']} threads"
    goal = "" if case["goal"] is None else f"{case['goal']:g}"
    if "goal_met" in case:
        goal += " ✓" if case["goal_met"] else " ✗"
    limit = max(case["limits"], key=lambda limit: limit["share"], default=None)
    original = case.get("original_seconds")
    return (
        f"{case['title']}{threads}",
        duration(case["seconds"]),
        duration(original) if original else "",
        f"{case['ratio_to_original']:.2f}" if original else "",
        goal,
        case.get("best_library", ""),
        f"{case['ratio_to_best_library']:.2f}" if "best_library" in case else "",
        limit["name"] if limit else "",
        f"{limit['share']:.0%}" if limit else "",
    )
