"""The table that is printed."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

from bench.cores.run import PREDICTED


def lines(case: dict[str, Any]) -> Iterator[str]:
    """A case in a few lines."""
    yield f"{case['case']}: {case['what']}"
    for way, words in (("prepare", "prepared"), ("submit", "submitted, the engine costs nothing")):
        yield f"  lock, {words}: {lock(case['lock'][way])}"
    if (allowed := case["allowed_seconds"]) is not None:
        yield f"  lock, asked: {1e6 * allowed:.0f} µs"
    for count in case["threads"]:
        threads, processes = (statistics.median(case[way][count]) for way in ("threads", "processes"))
        yield (
            f"  {count:>3} threads {threads:9.1f}/s ({case['speedup'][count]:.2f}× one), as many processes"
            f" {processes:9.1f}/s, share {case['of_processes'][count]:.2f}"
        )
    for way, found in case["predicted"].items():
        shares = (
            f"{n}: {found[str(n)]['rate']:.0f}/s ({found[str(n)]['of_processes']:.2f})" for n in PREDICTED
        )
        yield f"  predicted, {way}, for cores (share of processes): {', '.join(shares)}"
    submit, embed = (statistics.median(case["lists"][way]) for way in ("submit", "embed"))
    yield f"  lists: submit {submit:.1f}/s, embed {embed:.1f}/s ({case['embed_of_submit']:.2f})"


def lock(held: dict[str, Any]) -> str:
    if not held:
        return "none, this interpreter has no lock"
    return (
        f"{1e6 * held['seconds']:.1f} µs ± {1e6 * held['error']:.1f} of {1e6 * held['of']:.1f} µs an item"
        f" ({held['tries']} tries, {held['share']:.1%} taken)"
    )
