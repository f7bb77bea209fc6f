"""The options of items, as options of the commands."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping, Sequence

from bindrt.commands.terminal import Add
from bindrt.errors import OptionError
from bindrt.item_options import check_options, item_options

#: Fields that a command's own option of the same name gives: it means more than the field alone.
OWN = ("strict",)
#: Where the options stand in the help.
SECTION = "how items are read, as in bindrt.Image and the others"


def add_item_options(add: Add) -> None:
    """Adds an option for each field of the wrappers to a section of the help."""
    for option in item_options().values():
        if option.name in OWN:
            continue
        if option.is_switch:
            add(option.flag, dest=f"item_{option.name}", action=argparse.BooleanOptionalAction, default=None,
                help=option.help)  # fmt: skip
        else:
            add(option.flag, dest=f"item_{option.name}", metavar="VALUE", help=option.help)


def given_options(args: argparse.Namespace) -> dict[str, str]:
    """The item options that were given, as texts.

    Raises:
        OptionError: a value is none that the option can have.
    """
    found = {}
    for option in item_options().values():
        value = getattr(args, f"item_{option.name}", None)
        if value is not None:
            found[option.name] = str(value).lower() if isinstance(value, bool) else value
    check_options(found, None, "")
    return found


def require_use(options: Mapping[str, str], modalities: Collection[str]) -> None:
    """Raises OptionError for an option that none of ``modalities``, those of the inputs, has."""
    for name in options:
        option = item_options()[name]
        if not set(option.readers) & set(modalities):
            raise OptionError(
                option.flag,
                f"only {', '.join(option.readers)} files have it",
                f"add --modality {next(iter(option.readers))}",
            )


def parse_pairs(parts: Sequence[str], where: str) -> dict[str, str]:
    """``NAME=VALUE`` parts of a text that was split at commas; a part without ``=`` goes on the value before.

    >>> parse_pairs("low=20,percentiles=1,99".split(","), "--rule")
    {'low': '20', 'percentiles': '1,99'}

    Raises:
        OptionError: the first part has no ``=``; the error names ``where``.
    """
    found: dict[str, str] = {}
    last = ""
    for part in parts:
        name, equals, value = part.partition("=")
        if equals:
            last = name.strip().replace("-", "_")
            found[last] = value.strip()
        elif last:
            found[last] += f",{part.strip()}"
        else:
            raise OptionError(where, f"{part!r} is not NAME=VALUE", "for example unit=mm")
    return found
