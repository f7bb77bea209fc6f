"""The options of items, as options of the commands: each field of a modality's wrapper is one.

``bindrt.Thermal(src, low=…)`` is ``--low`` on the command line and ``low=…`` in a rule. Nothing here names a
modality or a field: a new field of a wrapper is an option as soon as it stands there.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, get_type_hints

from bindrt.commands.option_texts import Reader, reader_of
from bindrt.commands.terminal import Add
from bindrt.errors import OptionError
from bindrt.items import ARRAYS_ONLY
from bindrt.modalities import MODALITIES

#: Fields that a command's own option of the same name gives: it means more than the field alone.
OWN = ("strict",)
#: Where the options stand in the help.
SECTION = "how items are read, as in bindrt.Image and the others"


@dataclass(frozen=True)
class ItemOption:
    """One option: a field of the same name in the wrappers of some modalities.

    Attributes:
        name: the field's name.
        readers: how its value is read from a text, by modality.
    """

    name: str
    readers: Mapping[str, Reader]

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def is_switch(self) -> bool:
        return all(reader.is_switch for reader in self.readers.values())

    @property
    def help(self) -> str:
        values = dict.fromkeys(r.values for r in self.readers.values() if not r.is_switch)
        of = f"of {' and '.join(self.readers)} files"
        return f"{of}: {' or '.join(values)}" if values else of


@cache
def item_options() -> Mapping[str, ItemOption]:
    """Every option of every modality, by name."""
    found: dict[str, dict[str, Reader]] = {}
    for modality in MODALITIES:
        for name, reader in _readers(modality):
            found.setdefault(name, {})[modality] = reader
    return {name: ItemOption(name, readers) for name, readers in found.items()}


def _readers(modality: str) -> Iterator[tuple[str, Reader]]:
    """The fields of a modality's wrapper that mean something for a file; its first field is the source."""
    wrapper = MODALITIES[modality].wrapper
    if wrapper is None:
        return
    hints = get_type_hints(wrapper)
    for field in fields(wrapper)[1:]:
        if field.init and not field.metadata.get(ARRAYS_ONLY):
            with suppress(TypeError):  # a type that no text can be read as
                yield field.name, reader_of(hints[field.name])


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


def check_options(options: Mapping[str, str], modality: str | None, where: str) -> None:
    """Raises OptionError for an option that does not exist, or a value that it cannot have.

    Args:
        modality: the options must be of it; None: of any.
        where: what to name in the error; empty: the command's own option.
    """
    for name, value in options.items():
        option = item_options().get(name)
        readers = option.readers if option else {}
        if option is None or (modality is not None and modality not in readers):
            names = [n for n, o in item_options().items() if modality is None or modality in o.readers]
            raise OptionError(
                where or f"--{name}",
                f"{modality or 'no modality'} has no option {name!r}",
                f"it has {', '.join(names)}" if names else "leave it out",
            )
        wanted = readers if modality is None else {modality: readers[modality]}
        if all(reader.read(value) is None for reader in wanted.values()):
            values = " or ".join(dict.fromkeys(reader.values for reader in wanted.values()))
            raise OptionError(
                where or f"{option.flag} {value}", f"{name} is {value!r}"[:80], f"it is {values}"
            )


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


def as_item(modality: str, source: Any, options: Mapping[str, str]) -> Any:
    """The item that ``embed`` takes: ``source``, in its wrapper if some of the options are the modality's."""
    wrapper = MODALITIES[modality].wrapper
    values = {
        name: item_options()[name].readers[modality].read(value)
        for name, value in options.items()
        if name in item_options() and modality in item_options()[name].readers
    }
    return wrapper(source, **values) if wrapper is not None and values else source


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
