"""What answers requests of all protocols: models by name, their queues, and embedding with named errors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from starlette.requests import Request

from bindrt.embeddings import Embeddings
from bindrt.errors import DeadlineExceeded, Error, InputError, LimitError, OptionError
from bindrt.item_options import as_item, check_options
from bindrt.items import Prepared
from bindrt.limits import Limits
from bindrt.modalities import MODALITIES
from bindrt.model import Model
from bindrt.serving.admission import Memory, Queue
from bindrt.serving.exchange import exchange_of
from bindrt.serving.faults import Fault, fault_of, told
from bindrt.serving.health import Health
from bindrt.serving.options import ServeOptions
from bindrt.sources import open_source
from bindrt.sources.foreign import NamedBytes
from bindrt.sources.numpyfile import read_array


class Placed(NamedTuple):
    """An item of a request, and where in the request it stands, for its errors: ``input[3]``."""

    place: str
    item: Any


@dataclass(frozen=True)
class Served:
    """A model, and the items of it that wait."""

    name: str
    model: Model
    queue: Queue


class Service:
    """The models of a server, and what it allows.

    Attributes:
        models: what is served, by name.
        memory: the bytes of bodies that are held.
        health: whether requests can be answered.
    """

    def __init__(self, models: Mapping[str, Model], options: ServeOptions) -> None:
        self.options = options
        self.models = {name: Served(name, model, Queue(options.queue)) for name, model in models.items()}
        self.memory = Memory(options.max_bodies)
        self.health = Health(models)

    def served(self, request: Request, name: str | None = None) -> Served:
        """The model that a request names; the first one if it names none.

        Raises:
            Fault: there is no such model.
        """
        if name is None:
            name = next(iter(self.models))
        if name not in self.models:
            known = ", ".join(self.models)
            raise Fault(404, f"model {name[:80]!r}: there is no such model; it is one of {known}", "NoModel")
        exchange_of(request.scope).model = name
        return self.models[name]

    async def embed(
        self,
        request: Request,
        served: Served,
        items: Mapping[str, Sequence[Placed]],
        normalize: bool = True,
        skip: bool = False,
    ) -> Embeddings:
        """Embeds items by modality, together with those of all other requests.

        Its priority and its deadline stand in the headers ``X-Priority`` and ``X-Deadline``.

        Args:
            skip: bad items are left out, as with ``on_error="skip"``.

        Raises:
            Error: an item is bad; it says where in the request this stands, and how many more are.
            Overloaded: too many items wait already.
            DeadlineExceeded: the deadline has passed.
        """
        when = _when(request)
        counts = {modality: len(placed) for modality, placed in items.items()}
        exchange_of(request.scope).items = sum(counts.values())
        self._require_items(sum(counts.values()))
        given: Any = {modality: [each.item for each in placed] for modality, placed in items.items()}
        with served.queue.room_for(counts):
            found = await served.model.aembed(on_error="skip", normalize=normalize, **when, **given)
        if found.errors and not skip:
            raise _first(found.errors, items)
        return found

    def text(self, text: str, place: str) -> Placed:
        """A text of a request.

        Raises:
            LimitError: it is too long.
        """
        most = self.options.max_text
        if len(text) > most:
            raise LimitError(place, f"it has more than {most} characters", "only 77 tokens count: cut it")
        return Placed(place, text)

    def _require_items(self, count: int) -> None:
        most = self.options.max_items
        if count > most:
            raise LimitError("the request", f"it has {count} items, {most} are the most", "send several")
        if not count:
            raise InputError("the request", "it has no items", "send at least one")


def file_item(modality: str, data: bytes, place: str, options: Mapping[str, str] | None = None) -> Placed:
    """A file of a request, with what is to be known of it, for example its unit.

    Raises:
        OptionError: there is no such option, or it cannot have this value.
    """
    require_modality(modality, place)
    options = options or {}
    check_options(options, modality, place)
    return Placed(place, as_item(modality, data, options))


def ready_item(modality: str, data: bytes, place: str, limits: Limits) -> Placed:
    """A file of NumPy's that is the model's input already: one view, or ``[V, …]`` views of one item.

    Raises:
        SourceError: it is no such file.
    """
    require_modality(modality, place)
    array = read_array(open_source(NamedBytes(data, place), limits), "array", limits)
    return Placed(place, Prepared(array, views=array.ndim > len(MODALITIES[modality].view)))


def require_modality(modality: str, place: str) -> None:
    """Raises OptionError unless there is such a modality."""
    if modality not in MODALITIES:
        raise OptionError(place, f"there is no modality {modality[:40]!r}", f"one of {', '.join(MODALITIES)}")


def limits_of(service: Service) -> Limits:
    """What a file in a text may have: as much as a body."""
    return Limits(max_bytes=service.options.max_body)


def told_of(found: Embeddings, items: Mapping[str, Sequence[Placed]]) -> dict[str, Any]:
    """Errors and notes of items as JSON can hold them, with their places in the request, if there are any."""
    errors = [told(fault_of(error.at(items[m][i].place))) for (m, i), error in found.errors.items()]
    notes = [{"item": items[m][i].place, **notes} for (m, i), notes in found.notes.items()]
    return {name: value for name, value in (("errors", errors), ("notes", notes)) if value}


def _when(request: Request) -> dict[str, Any]:
    """The priority and the deadline of a request, which began when its headers came.

    Raises:
        DeadlineExceeded: it has passed while the body came.
        Fault: a header is not a number.
    """
    found: dict[str, Any] = {}
    if (priority := request.headers.get("x-priority")) is not None:
        found["priority"] = int(_number("X-Priority", priority, whole=True))
    if (deadline := request.headers.get("x-deadline")) is not None:
        left = _number("X-Deadline", deadline) - exchange_of(request.scope).seconds
        if left <= 0:
            raise DeadlineExceeded("the request", "its deadline passed before its body was here")
        found["deadline"] = left
    return found


def _number(name: str, text: str, whole: bool = False) -> float:
    try:
        value = float(int(text)) if whole else float(text)
    except (ValueError, OverflowError):
        value = float("nan")
    if not math.isfinite(value):
        kind = "a whole number" if whole else "a number of seconds"
        raise Fault(400, f"{name}: {text[:40]!r} is not {kind}", "BadHeader")
    return value


def _first(errors: Mapping[tuple[str, int], Error], items: Mapping[str, Sequence[Placed]]) -> Error:
    """The first error in the order of the request, with its place there."""
    order = {modality: number for number, modality in enumerate(items)}
    (modality, index), error = min(errors.items(), key=lambda each: (order[each[0][0]], each[0][1]))
    place = items[modality][index].place
    more = f"; {len(errors) - 1} more items fail" if len(errors) > 1 else ""
    return type(error)(error.item, error.problem, f"{error.remedy}{more}".removeprefix("; ")).at(place)
