"""The options of items as texts: each field of a modality's wrapper is one, for commands and for requests.

``bindrt.Thermal(src, low=…)`` is ``--low`` on the command line, ``low=…`` in a rule and ``low`` in a request.
Nothing here names a modality or a field: a new field of a wrapper is an option as soon as it stands there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, get_type_hints

from bindrt.errors import OptionError
from bindrt.items import ARRAYS_ONLY
from bindrt.modalities import MODALITIES
from bindrt.option_texts import Reader, reader_of


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


def as_item(modality: str, source: Any, options: Mapping[str, str]) -> Any:
    """The item that ``embed`` takes: ``source``, in its wrapper if some of the options are the modality's."""
    wrapper = MODALITIES[modality].wrapper
    values = {
        name: item_options()[name].readers[modality].read(value)
        for name, value in options.items()
        if name in item_options() and modality in item_options()[name].readers
    }
    return wrapper(source, **values) if wrapper is not None and values else source
