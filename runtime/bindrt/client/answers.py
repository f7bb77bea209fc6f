"""What a server answers, as vectors and errors of bindrt."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bindrt import errors
from bindrt.client.connections import Answer
from bindrt.embeddings import Vectors
from bindrt.errors import (
    DeadlineExceeded,
    EngineError,
    Error,
    InputError,
    LimitError,
    OptionError,
    Overloaded,
)
from bindrt.notes import Notes

#: The errors that a server can name.
KINDS: dict[str, type[Error]] = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Error)
}
#: For errors without a name.
BY_STATUS: dict[int, type[Error]] = {
    400: InputError,
    401: OptionError,
    403: OptionError,
    404: OptionError,
    408: DeadlineExceeded,
    413: LimitError,
    422: InputError,
    429: Overloaded,
    503: Overloaded,
    504: DeadlineExceeded,
}
#: Where an item stands in a request: ``image[3]``, ``input[3]``.
_PLACE = re.compile(r"\w+\[(\d+)\]")


@dataclass
class Rows:
    """The vectors of some items of a call, with their errors and notes, by the items' numbers in the call."""

    vectors: dict[int, Vectors] = field(default_factory=dict)
    space: str = ""
    errors: dict[int, Error] = field(default_factory=dict)
    notes: dict[int, Notes] = field(default_factory=dict)

    def add(self, more: Rows, notes: Mapping[int, Notes]) -> None:
        """Add those of a request, and the notes that were made before it was sent."""
        self.vectors |= more.vectors
        self.errors |= more.errors
        self.notes |= {n: {**notes.get(n, {}), **more.notes.get(n, {})} for n in {*notes, *more.notes}}
        self.space = more.space

    def raise_first(self, skip: bool) -> None:
        """Raise the error of the first bad item, unless bad items are skipped."""
        if self.errors and not skip:
            raise self.errors[min(self.errors)]


@dataclass(frozen=True)
class Reader:
    """Reads the answers to one request.

    Attributes:
        url: of the server, for errors.
        modality: of the items.
        names: what to call the items in errors, by their numbers in the call, in the order of the request.
    """

    url: str
    modality: str = ""
    names: Mapping[int, str] = field(default_factory=dict)

    def object(self, answer: Answer) -> dict[str, Any]:
        """The object that a server answered.

        Raises:
            Error: the server's error.
        """
        try:
            found = json.loads(answer.body)
        except (ValueError, RecursionError):
            found = None
        if answer.status != 200:
            raise self._error(found if isinstance(found, dict) else {}, answer.status)
        if not isinstance(found, dict):
            raise self.strange("it is no JSON object")
        return found

    def rows(self, answer: Answer) -> Rows:
        """The vectors of an answer of ``/v1/embeddings`` or ``/v1/embed``.

        Raises:
            Error: the server's error, or the answer is of something else.
        """
        found = self.object(answer)
        try:
            return self._rows(found)
        except (LookupError, TypeError, ValueError, AttributeError):
            raise self.strange("it has not one vector an item") from None

    def _rows(self, found: Mapping[str, Any]) -> Rows:
        numbers = list(self.names)
        rows = Rows(space=str(found.get("space", "")))
        if "data" in found:
            given = {entry["index"]: entry["embedding"] for entry in found["data"]}
        else:
            given = dict(enumerate(found["embeddings"][self.modality]))
        for said in found.get("errors") or ():
            index = _index(said["place"])
            rows.errors[numbers[index]] = self._error(said, 400)
        for said in found.get("notes") or ():
            notes = dict(said)
            rows.notes[numbers[_index(notes.pop("item"))]] = notes
        for index, number in enumerate(numbers):
            if number not in rows.errors:
                rows.vectors[number] = _vector(given[index])
        return rows

    def _error(self, said: Mapping[str, Any], status: int) -> Error:
        """A server's error as one of bindrt's, with the caller's name and number of the item."""
        inner = said.get("error")
        said = {**said, **(inner if isinstance(inner, dict) else {"message": inner})} if inner else said
        kind = KINDS.get(str(said.get("code"))) or BY_STATUS.get(status, EngineError)
        message = str(said.get("message") or f"the server answered {status}")
        place = _PLACE.match(str(said.get("place") or message))
        index = int(place[1]) if place is not None else len(self.names)
        item, problem = str(said.get("item") or self.url), str(said.get("problem") or message)
        remedy = str(said.get("remedy") or "")
        if index >= len(self.names):
            return kind(item, problem, remedy)
        number = list(self.names)[index]
        return kind(self.names[number], problem, remedy).at(f"{self.modality}[{number}]")

    def strange(self, what: str) -> EngineError:
        """The error for what bind-serve would not answer."""
        return EngineError(self.url, f"not an answer of bind-serve: {what}", "is this the URL of bind-serve?")


def _index(place: str) -> int:
    found = _PLACE.match(place)
    if found is None:
        raise ValueError(place)
    return int(found[1])


def _vector(value: str | list[float]) -> Vectors:
    """Float32 ``[D]`` of base64 or of a list of numbers."""
    if isinstance(value, str):
        return np.frombuffer(base64.b64decode(value, validate=True), "<f4").astype(np.float32)
    return np.array(value, np.float32).reshape(len(value))
