"""The limits of items, as options of the commands: each field of :class:`bindrt.Limits` is one."""

from __future__ import annotations

import argparse
from dataclasses import fields

from bindrt.commands.item_options import parse_pairs
from bindrt.commands.terminal import Add
from bindrt.errors import OptionError
from bindrt.limits import DEFAULT_LIMITS, Limits

#: Where the options stand in the help.
SECTION = "limits, as in bindrt.Limits"


def add_limit_options(add: Add) -> None:
    """Adds ``--max-pixels`` and the others, and ``--limits`` for several of them."""
    for field in fields(Limits):
        add("--" + field.name.replace("_", "-"), type=float, metavar="N", help=f"default: {field.default:,g}")
    add("--limits", metavar="NAME=N,...", help="several at once: max_seconds=60,max_pixels=1e7")


def given_limits(args: argparse.Namespace) -> Limits:
    """The limits that were asked for.

    Raises:
        OptionError: there is no such limit, or its value is not a number above 0.
    """
    found: dict[str, float] = {}
    if args.limits is not None:
        for name, text in parse_pairs(args.limits.split(","), "--limits").items():
            if name not in {field.name for field in fields(Limits)}:
                names = ", ".join(field.name for field in fields(Limits))
                raise OptionError(f"--limits {args.limits}", f"no limit {name!r}", f"one of {names}")
            found[name] = _number(text, f"--limits {args.limits}")
    for field in fields(Limits):
        value = getattr(args, field.name)
        if value is not None:
            found[field.name] = value
    return _limits(found) if found else DEFAULT_LIMITS


def _limits(values: dict[str, float]) -> Limits:
    """Whole numbers stay whole, for limits that count."""
    return Limits(**{n: int(v) if float(v).is_integer() else v for n, v in values.items()})  # type: ignore[arg-type]


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise OptionError(where, f"{text!r} is not a number", "give NAME=N") from None
