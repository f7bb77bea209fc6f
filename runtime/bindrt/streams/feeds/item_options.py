"""Options of a modality's items, given for a whole stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from bindrt.errors import OptionError
from bindrt.modalities import MODALITIES

#: What a stream itself says of its items.
_OF_STREAM = (
    "src",
    "samples",
    "layout",
    "rate",
    "timestamps",
    "columns",
    "start",
    "end",
    "strict",
    "fps",
    "views",
)


def require_options(modality: str, options: Mapping[str, object]) -> None:
    """Raises OptionError for an option that the modality's items do not have."""
    wrapper = MODALITIES[modality].wrapper
    known = [] if wrapper is None else [f.name for f in fields(wrapper) if f.name not in _OF_STREAM]
    for name in options:
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "leave it out"
            raise OptionError(f"{name}=", f"a stream of {modality} has no such option", has)
