"""Items as bodies of requests: files as they are, all else as the model's own input."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from bindrt.arrays import item_name
from bindrt.errors import Error
from bindrt.items import Prepared
from bindrt.limits import Limits
from bindrt.modalities import MODALITIES
from bindrt.notes import Notes
from bindrt.preprocess.dispatch import prepare_views, wrapped
from bindrt.sources import is_file_source, open_source
from bindrt.sources.opening import decoding

#: A file that is larger is prepared here, and its views are sent.
MOST_FILE = 32 << 20
#: Files of one body; it is sent once it has as many bytes.
MOST_BODY = 32 << 20
READY = "application/x-npy"
#: Where texts and forms are sent to.
TEXTS, FORMS = "/v1/embeddings", "/v1/embed"


@dataclass(frozen=True)
class Upload:
    """An item as a part of a body."""

    name: str
    content: bytes
    kind: str = "application/octet-stream"
    notes: Notes = field(default_factory=dict)


@dataclass
class Body:
    """A request for some items.

    Attributes:
        route: where it is sent to.
        indices: the items' numbers in the caller's list.
        notes: what preparing them here found, by these numbers.
    """

    route: str
    content: bytes
    kind: str
    indices: list[int]
    notes: dict[int, Notes] = field(default_factory=dict)


def bodies(
    modality: str,
    items: Sequence[object],
    first: int,
    asked: Mapping[str, Any],
    limits: Limits,
    bad: dict[int, Error],
    skip: bool,
) -> Iterator[Body]:
    """The requests for the items of one modality.

    Args:
        first: the number of the first item in the caller's list.
        asked: fields of every request.
        bad: gets the errors of items that cannot be sent.
        skip: go on behind the first of them.
    """
    if MODALITIES[modality].tokens is not None and all(isinstance(item, str) for item in items):
        content = json.dumps({**asked, "input": items}).encode()
        yield Body(TEXTS, content, "application/json", list(range(first, first + len(items))))
        return
    waiting: dict[int, Upload] = {}
    size = 0
    for index, item in enumerate(items, first):
        try:
            made = upload(modality, item, limits)
        except Error as error:
            bad[index] = error.at(f"{modality}[{index}]")
            if skip:
                continue
            break
        if waiting and size + len(made.content) > MOST_BODY:
            yield _form(modality, asked, waiting)
            waiting, size = {}, 0
        waiting[index] = made
        size += len(made.content)
    if waiting:
        yield _form(modality, asked, waiting)


def upload(modality: str, item: Any, limits: Limits) -> Upload:
    """One item, ready to be sent.

    Raises:
        InputError: it is no item of this modality, or cannot be read.
    """
    name = item_name(item)
    with decoding(name, modality):
        source = _plain_file(modality, item)
        if source is not None:
            opened = open_source(source, limits)
            if opened.size <= MOST_FILE:
                with opened.binary() as stream:
                    return Upload(name, stream.read())
        views = prepare_views(modality, item, limits)
        content = io.BytesIO()
        np.save(content, views.array if views.weights is None else views.all(), allow_pickle=False)
        return Upload(name, content.getvalue(), READY, views.notes)


def _plain_file(modality: str, item: Any) -> Any:
    """The file of an item without options, which says all that the server needs; None for any other item."""
    if isinstance(item, Prepared):
        return None
    declared = MODALITIES[modality]
    whole = wrapped(declared, item)
    if declared.wrapper is None:
        return None
    source, *options = fields(whole)
    if any(getattr(whole, option.name) != option.default for option in options):
        return None
    found = getattr(whole, source.name)
    return found if is_file_source(found) else None


def _form(modality: str, asked: Mapping[str, Any], uploads: Mapping[int, Upload]) -> Body:
    boundary = os.urandom(16).hex()
    parts = []
    for name, value in asked.items():
        text = value if isinstance(value, str) else json.dumps(value)
        parts.append(_part(boundary, f'name="{name}"', None, text.encode()))
    for each in uploads.values():
        about = f'name="{modality}"; filename="{_quoted(each.name)}"'
        parts.append(_part(boundary, about, each.kind, each.content))
    content = b"".join([*parts, f"--{boundary}--\r\n".encode()])
    notes = {index: each.notes for index, each in uploads.items() if each.notes}
    return Body(FORMS, content, f"multipart/form-data; boundary={boundary}", list(uploads), notes)


def _part(boundary: str, about: str, kind: str | None, content: bytes) -> bytes:
    head = f"--{boundary}\r\nContent-Disposition: form-data; {about}\r\n"
    if kind is not None:
        head += f"Content-Type: {kind}\r\n"
    return b"".join([head.encode(), b"\r\n", content, b"\r\n"])


def _quoted(name: str) -> str:
    """A name in a header: only what would end it is written otherwise."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
