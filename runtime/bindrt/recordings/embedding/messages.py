"""The messages that are written: protobuf types that describe themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from bindrt.recordings.libraries import library

#: Field → its kind; in the order of their numbers. ``time`` is a google.protobuf.Timestamp.
_WINDOW = {"timestamp": "time", "topic": "string", "modality": "string", "start": "double", "end": "double"}
_VECTOR = {**_WINDOW, "vector": "floats", "space": "string", "dropped": "uint32", "notes": "string"}
_EVENT = {
    "timestamp": "time",
    "name": "string",
    "topic": "string",
    "start": "double",
    "end": "double",
    "peak": "double",
    "score": "float",
}
_KINDS = {"string": 9, "double": 1, "float": 2, "uint32": 13}  # protobuf's own numbers
_FLOAT, _MESSAGE, _OPTIONAL, _REPEATED = 2, 11, 1, 3


def vector_type() -> Any:
    """``bindrt.Vector``: the vector of a window."""
    return _message_type("Vector", tuple(_VECTOR.items()))


def event_type() -> Any:
    """``bindrt.Event``: an event of a monitor."""
    return _message_type("Event", tuple(_EVENT.items()))


def scores_type(names: Sequence[str]) -> Any:
    """``bindrt.Scores``: a field for the score of each name, so that a plot can show it."""
    fields = {**_WINDOW, **dict.fromkeys(score_fields(names).values(), "float")}
    return _message_type("Scores", tuple(fields.items()))


def score_fields(names: Sequence[str]) -> dict[str, str]:
    """The field of each name: its letters and digits; what is equal then gets a number.

    >>> score_fields(["glass breaking", "Glass-breaking", "start"])
    {'glass breaking': 'glass_breaking', 'Glass-breaking': 'glass_breaking_2', 'start': 'start_2'}
    """
    found: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "prompt"
        plain = f"_{plain}" if plain[0].isdigit() else plain
        field, number = plain, 2
        while field in _WINDOW or field in found.values():
            field, number = f"{plain}_{number}", number + 1
        found[name] = field
    return found


@lru_cache(maxsize=32)
def _message_type(name: str, fields: tuple[tuple[str, str], ...]) -> Any:
    """A protobuf message class of such fields."""
    descriptors = library("google.protobuf.descriptor_pb2", "protobuf")
    stamps = library("google.protobuf.timestamp_pb2", "protobuf")
    pool = library("google.protobuf.descriptor_pool", "protobuf").DescriptorPool()
    factory = library("google.protobuf.message_factory", "protobuf")
    stamp_file = descriptors.FileDescriptorProto()
    stamps.DESCRIPTOR.CopyToProto(stamp_file)
    pool.Add(stamp_file)
    file = descriptors.FileDescriptorProto(
        name=f"bindrt/{name}.proto", package="bindrt", syntax="proto3", dependency=[stamp_file.name]
    )
    message = file.message_type.add(name=name)
    for number, (field, kind) in enumerate(fields, 1):
        added = message.field.add(name=field, number=number, label=_OPTIONAL)
        if kind == "time":
            added.type, added.type_name = _MESSAGE, ".google.protobuf.Timestamp"
        elif kind == "floats":
            added.type, added.label = _FLOAT, _REPEATED
        else:
            added.type = _KINDS[kind]
    pool.Add(file)
    return factory.GetMessageClass(pool.FindMessageTypeByName(f"bindrt.{name}"))
