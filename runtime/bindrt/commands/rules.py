"""Rules: which files are of which modality, which are left out, and which part of them is embedded here."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from bindrt.commands.item_options import parse_pairs
from bindrt.errors import OptionError
from bindrt.item_options import check_options
from bindrt.modalities import MODALITIES

_EXAMPLE = "for example --rule '*.depth.png=depth,unit=mm'"


def matches(name: str, pattern: str) -> bool:
    """Whether a pattern of the shell fits a name, in any case of letters; ``*`` also stands for ``/``.

    A pattern without ``/`` is for the last part of the name.

    >>> matches("a/b/C.JPG", "*.jpg"), matches("a/b/c.jpg", "a/*.jpg"), matches("b/a.jpg", "a*/*")
    (True, True, False)
    """
    if "/" not in pattern:
        name = name.rpartition("/")[2]
    return fnmatchcase(name.lower(), pattern.lower())


@dataclass(frozen=True)
class Rule:
    """Files whose name fits ``pattern`` are of ``modality``, and are read with ``options``."""

    pattern: str
    modality: str
    options: Mapping[str, str] = field(default_factory=dict)


def parse_rule(text: str) -> Rule:
    """``GLOB=MODALITY[,NAME=VALUE…]``.

    >>> parse_rule("*.depth.png=depth,unit=mm")
    Rule(pattern='*.depth.png', modality='depth', options={'unit': 'mm'})

    Raises:
        OptionError: it has another form, or the modality has no such option or value.
    """
    where = f"--rule {text}"
    names = [name for name, modality in MODALITIES.items() if modality.tokens is None]
    found = re.fullmatch(rf"(.+?)=({'|'.join(names)})(?:,(.+))?", text)
    if found is None:
        raise OptionError(where, f"not GLOB=MODALITY, with one of {', '.join(names)}", _EXAMPLE)
    pattern, modality, rest = found.groups()
    options = parse_pairs(rest.split(","), where) if rest else {}
    check_options(options, modality, where)
    return Rule(pattern, modality, options)


@dataclass(frozen=True)
class Shard:
    """One of ``count`` parts of the inputs. An input is in one part only, whatever other inputs there are.

    >>> [Shard(i, 3).has("a.jpg") for i in range(3)].count(True)
    1
    """

    index: int = 0
    count: int = 1

    def has(self, name: str) -> bool:
        return (
            self.count == 1 or zlib.crc32(name.encode("utf-8", "surrogateescape")) % self.count == self.index
        )


def parse_shard(text: str) -> Shard:
    """``I/N``: the parts are 1/4 to 4/4. 0/4 is 4/4, for those who count from zero.

    Raises:
        OptionError: it has another form.
    """
    found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
    index, count = map(int, found.groups()) if found else (0, 0)
    if not 0 <= index <= count or count == 0:
        raise OptionError(f"--shard {text}", "not a part of the inputs", "give I/N: 1/4, 2/4, 3/4 or 4/4")
    return Shard(index % count, count)


@dataclass(frozen=True)
class Selection:
    """Which of the files are embedded.

    Attributes:
        include: a file must fit one of these patterns; empty: all do.
        exclude: a file must fit none of these.
        shard: the part of the inputs that is embedded, texts among them.
    """

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    shard: Shard = Shard()

    def wants(self, name: str) -> bool:
        """Whether patterns let a file pass; ``name``: relative to its folder."""
        if self.include and not any(matches(name, pattern) for pattern in self.include):
            return False
        return not any(matches(name, pattern) for pattern in self.exclude)


def rule_for(rules: Sequence[Rule], name: str) -> Rule | None:
    """The first rule that fits."""
    return next((rule for rule in rules if matches(name, rule.pattern)), None)
