"""What docs/scale.md shows of a kept result: ``python -m bench readme --tables`` writes it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bench.engines.tables import row

COMMAND = "python -m bench scale --json bench/results/scale-amd-epyc.json"
Found = Mapping[str, Any]


def section(result: Found) -> str:
    """Markdown: a table or a paragraph for each part that was measured."""
    if not result:
        return f"Nothing is kept yet; `{COMMAND}` measures.\n"
    parts = ([*write(result[name]), *_note(result[name])] for name, write in PARTS.items() if name in result)
    machine = next(iter(result.values()))["machine"]
    measured_on = f"Measured by `{COMMAND}` on {machine['cpu']}, {machine['cores']:g} cores."
    return "\n\n".join(["\n".join(lines) for lines in parts] + [measured_on]) + "\n"


def _note(found: Found) -> Iterator[str]:
    if found.get("note"):
        yield f"({found['note']}.)"


def _ways(found: Found) -> Iterator[str]:
    ways = _only_ways(found)
    plain = ways["plain"]["items_per_second"]
    yield _wrapped(
        "Mixed files (70 % pictures, 20 % sounds, 9 % texts, 1 % videos) with bind-tiny, without a program's "
        "start:"
    )
    yield ""
    yield row(["way", "items/s", "against plain", "cores busy", "engine busy", "object store, at most"])
    yield row(["---"] * 6)
    for name, way in ways.items():
        engine = f"{way['engine_share']:.0%}" if "engine_share" in way else "–"
        store = f"{way['store_bytes'] / 1e6:.0f} MB"
        rate = way["items_per_second"]
        yield row([name, f"{rate:.0f}", f"{rate / plain:.2f}", f"{way['cores_busy']:.2f}", engine, store])


def _peer(found: Found) -> Iterator[str]:
    ways = _only_ways(found)
    yield "The same beside torchvision, torchaudio, decord and the eager model, by the same tool:"
    yield ""
    yield row(["tool", "with bindrt, items/s", "the way without it", "how many times faster"])
    yield row(["---"] * 4)
    for tool, name in (("ray", "ray, 2 actors"), ("daft", "daft")):
        if name in ways:
            own, other = (ways[n]["items_per_second"] for n in (name, f"{tool}, torchvision and eager"))
            yield row([name, f"{own:.1f}", f"{other:.1f}", f"{own / other:.1f}×"])


def _kill(found: Found) -> Iterator[str]:
    killed, calm = (found["seconds"][name] for name in ("killed", "undisturbed"))
    yield _wrapped(
        f"`kill -9` of an actor each {found['between_kills']:g} s, {found['kills']} times while "
        f"{found['rows']} rows were embedded: {killed:.0f} s instead of {calm:.0f} s, and the same rows. "
        f"Numbers of their vectors differ by {found['largest_difference']:.1g} at most."
    )


def _pictures(found: Found) -> Iterator[str]:
    first, *_, last = (most / 2**20 for most in found["memory_by_quarter"])
    yield _wrapped(
        f"{found['pictures']} pictures in one job, {found['damaged']} of them damaged: {found['errors']} "
        f"errors in the output, {found['items_per_second']:.0f} pictures/s. All processes had at most "
        f"{first:.0f} MiB in the first quarter of the time, and {last:.0f} MiB in the last."
    )


def _stores(found: Found) -> Iterator[str]:
    dim = found["dim"]
    yield f"Rows with vectors of {dim} numbers into stores, beside a call of the store's library a row:"
    yield ""
    yield row(["store", "rows/s", "a call a row", "how many times faster", "memory grows by"])
    yield row(["---"] * 5)
    for kind, of in found["stores"].items():
        rates = [f"{of[way]['rows_per_second']:.0f}" for way in ("bulk", "plain")]
        grown = f"{of['bulk']['grown_bytes'] / 1e6:.0f} MB"
        yield row([kind, *rates, f"{of['ratio']:.1f}×", grown])


def _ib_score(found: Found) -> Iterator[str]:
    own, plain = (found["pairs_per_second"][way] for way in ("bindrt", "plain"))
    yield _wrapped(
        f"`bind-eval ib-score`: {own:.2f} pairs/s, beside {plain:.2f} of torch's loader with the eager "
        f"model ({found['ratio']:.1f}×). The scores differ by {found['difference']:.1g}."
    )


def _wrapped(paragraph: str) -> str:
    return textwrap.fill(paragraph, 118, break_long_words=False, break_on_hyphens=False)


def _only_ways(found: Found) -> dict[str, Any]:
    return {name: way for name, way in found.items() if name not in ("machine", "note")}


PARTS: Mapping[str, Callable[[Found], Iterator[str]]] = {
    "ways": _ways,
    "peer": _peer,
    "kill": _kill,
    "pictures": _pictures,
    "stores": _stores,
    "ib-score": _ib_score,
}
