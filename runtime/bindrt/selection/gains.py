"""What this processor's units for short numbers could gain, in a line for ``doctor`` and ``bind-export``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bindrt import hardware
from bindrt.bundle.manifest import Manifest
from bindrt.selection.derived import usable_precisions

#: What the units of a precision are called.
_NAMES = {"bf16": "bfloat16", "int8": "8-bit"}


def units_text() -> str:
    """The units that this processor has for products of short numbers; empty if it has none."""
    found = {name: hardware.units(precision) for precision, name in _NAMES.items()}
    return " and ".join(f"{name} units ({', '.join(units)})" for name, units in found.items() if units)


def machine_gain(choices: Iterable[Mapping[str, Any]]) -> str:
    """What any bundle could gain here, and what was measured; empty where there are no units.

    Args:
        choices: what :func:`bindrt.selection.choices.remembered` yields.
    """
    short, shorter = hardware.units("bf16"), hardware.units("int8")
    if short:
        how = "load(precision='fast') uses the bfloat16 units where they gain"
        how += ", 'fastest' the 8-bit units too" if shorter else ""
    else:
        how = "load(precision='fastest') uses them where the bundle has int8"
    return f"It has {units_text()}: {how}{measured_text(choices)}" if short or shorter else ""


def measured_text(choices: Iterable[Mapping[str, Any]]) -> str:
    """For the encoder that gained most, how many times as fast as float32 the other precision was."""
    best = (1.0, "")
    for choice in choices:
        seconds = choice["seconds"]
        for precision, taken in seconds.items():
            if "fp32" in seconds and (times := seconds["fp32"] / taken) > best[0]:
                name = f"{choice['bundle']} {choice['encoder']}"
                best = times, f"; measured: {name} in {precision} {times:.1f} times as fast as in fp32"
    return best[1]


def bundle_gain(manifest: Manifest) -> str:
    """Which of the processor's units the files of a bundle can use, and what would use the others."""
    here, parts = usable_precisions(manifest), []
    for precision, name in _NAMES.items():
        if units := hardware.units(precision):
            use = "uses them" if precision in manifest.precisions() else "uses them, from the same files"
            how = f"load(precision='{precision}') {use}"
            if precision not in here:
                how = f"an export with --precision {precision} would use them"
            parts.append(f"{name} units ({', '.join(units)}): {how}")
    return f"This processor has {'; '.join(parts)}" if parts else ""
