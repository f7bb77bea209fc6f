"""An item of a data set: what reports call it, and how it becomes what ``embed`` takes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bindrt.modalities import MODALITIES

#: What reads a part of a file: the file, and the part's numbers.
Cut = Callable[[str, tuple[float, ...]], Any]


@dataclass(frozen=True)
class Entry:
    """One item.

    Attributes:
        name: as reports name it.
        modality: how it is embedded.
        source: the file, or the text.
        options: of the modality's wrapper, for example ``(("unit", "sunrgbd"),)``.
        cut: what reads the part of the file that counts; None: the whole file.
        part: which part that is.
    """

    name: str
    modality: str
    source: str
    options: tuple[tuple[str, Any], ...] = ()
    cut: Cut | None = None
    part: tuple[float, ...] = ()

    def item(self) -> Any:
        """What ``embed`` takes."""
        what = self.source if self.cut is None else self.cut(self.source, self.part)
        wrapper = MODALITIES[self.modality].wrapper
        return wrapper(what, **dict(self.options)) if self.options and wrapper is not None else what

    def key(self) -> str:
        """What its vector depends on besides the model: another file of the same name has another key."""
        told: list[Any] = [self.modality, self.source, self.options, self.part]
        if self.modality != "text":
            found = os.stat(self.source)
            told += [found.st_size, found.st_mtime_ns]
        if self.cut is not None:
            told.append(self.cut.__qualname__)
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def text(words: str) -> Entry:
    """A text, which is its own name."""
    return Entry(words, "text", words)
