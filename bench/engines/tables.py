"""The tables of README.md, docs/measured.md and docs/engines.md, from a result of ``bench engines``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.engines.ways import PRECISIONS

Case = Mapping[str, Any]
NONE = "–"
ITEMS = {
    "text": "a caption of 10 tokens",
    "vision": "an image",
    "audio": "an audio clip",
    "depth": "a depth map",
    "thermal": "a thermal image",
    "imu": "5 s of motion",
}
#: Peers as people know them.
PEERS = {
    "eager": "PyTorch",
    "compile": "torch.compile",
    "torch": "PyTorch's quantiser",
    "ort": "ONNX Runtime",
    "openvino": "OpenVINO",
    "nncf": "OpenVINO, NNCF",
    "nncf-weights": "OpenVINO, NNCF's weights",
}
#: What bindrt chooses itself where it may take any precision of one space.
FAST, CHOICES = "bindrt-fast", ("bindrt-fast", "bindrt-fastest")


def first_table(result: Mapping[str, Any], batches: Sequence[int] = (1,)) -> str:
    """What a user gets beside eager float32 and beside the best peer of like precision."""
    head = ["one item → vector" if tuple(batches) == (1,) else "items → vectors", "PyTorch, float32"]
    for ours, peer in (("exact", "float32"), ('`precision="fast"`', "bf16"), ("int8", "int8")):
        head += [f"bindrt, {ours}", f"best {peer} peer"]
    lines = [row(head), row(["---"] * len(head))]
    cases = {(case["encoder"], case["batch"]): case for case in result["cases"]}
    for encoder, item in ITEMS.items():
        for batch in batches:
            if case := cases.get((encoder, batch)):
                name = item if batch == 1 else f"{batch} times {item}"
                lines.append(row([name, *first_cells(case)]))
    return "\n".join([*lines, "", conditions(result)]) + "\n"


def first_cells(case: Case) -> list[str]:
    cells = [milliseconds(case["ways"]["eager"])]
    for precision in PRECISIONS:
        ours = case["ways"].get(FAST) if precision == "bf16" else None
        cells.append(timed(ours or fastest(ours_in(case, precision))))
        peers = [(n, w) for n, w in ways_in(case, precision) if not n.startswith("bindrt")]
        best = min(peers, key=lambda peer: peer[1]["seconds"], default=None)
        cells.append(NONE if best is None else f"{milliseconds(best[1])}, {peer_name(best[0])}")
    return cells


def peer_name(way: str) -> str:
    short = way.removesuffix("-bf16").removesuffix("-int8")
    return PEERS.get(short, short)


def all_ways(result: Mapping[str, Any]) -> str:
    """For each precision a table of all ways and the processor's limit."""
    parts = []
    for precision in PRECISIONS:
        names = list(dict.fromkeys(n for case in result["cases"] for n, _ in ways_in(case, precision)))
        if not names:
            continue
        head = [f"{precision}: encoder, batch", "limit", *names]
        parts += [row(head), row(["---"] * len(head))]
        for case in result["cases"]:
            limit = case["limits"].get(precision)
            cells = [f"{case['encoder']}, {case['batch']}", NONE if limit is None else milliseconds(limit)]
            parts.append(row([*cells, *(with_share(case["ways"].get(name)) for name in names)]))
        parts.append("")
    return "\n".join([*parts, conditions(result)]) + "\n"


def conditions(result: Mapping[str, Any]) -> str:
    machine, settings = result["machine"], result["settings"]
    units = "; ".join(
        f"{kind} {unit['operations'] / 1e9:.0f} GOP/s" for kind, unit in result["peaks"]["units"].items()
    )
    return (
        f"Medians of {settings['turns']} turns of up to {settings['rounds']} runs, on {machine['cpu']}, "
        f"{machine['cores']:g} cores; load before {machine['load_before']:.1f}.\n"
        f"In brackets: times as fast as PyTorch in float32. The bare units of this processor reach\n{units}."
    )


def ways_in(case: Case, precision: str) -> list[tuple[str, Mapping[str, Any]]]:
    return [(name, way) for name, way in case["ways"].items() if way["precision"] == precision]


def ours_in(case: Case, precision: str) -> list[Mapping[str, Any]]:
    """The timings of our engines, whose fastest is what ``engine="auto"`` takes."""
    found = ways_in(case, precision)
    return [way for name, way in found if name.startswith("bindrt") and name not in CHOICES]


def fastest(ways: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    return min(ways, key=lambda way: float(way["seconds"]), default=None)


def timed(way: Mapping[str, Any] | None) -> str:
    return NONE if way is None else f"{milliseconds(way)} ({way['ratio_to_eager']:.1f}×)"


def with_share(way: Mapping[str, Any] | None) -> str:
    if way is None:
        return NONE
    share = f", {way['share_of_limit']:.0%}" if "share_of_limit" in way else ""
    return f"{milliseconds(way)} ({way['ratio_to_eager']:.2f}×){share}"


def milliseconds(timing: Mapping[str, Any]) -> str:
    value = 1e3 * timing["seconds"]
    return f"{value:.0f} ms" if value >= 100 else f"{value:.1f} ms"


def row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
