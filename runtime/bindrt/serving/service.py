"""What answers requests of all protocols: models by name, their queues, and embedding with named errors."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.requests import Request

from bindrt.embeddings import Embeddings
from bindrt.errors import DeadlineExceeded, InputError, LimitError
from bindrt.item_options import check_options
from bindrt.label_vectors import LabelVectors
from bindrt.limits import Limits
from bindrt.model import Model
from bindrt.serving.admission import Memory, Queue
from bindrt.serving.exchange import exchange_of
from bindrt.serving.faults import Fault
from bindrt.serving.fetching import Fetcher, unreachable
from bindrt.serving.health import Health
from bindrt.serving.media import file_in_uri, is_url
from bindrt.serving.options import ServeOptions
from bindrt.serving.taking import Placed, file_item, first_error, require_modality
from bindrt.serving.traces import Traces
from bindrt.serving.workers.peers import Peers

Made = TypeVar("Made")

#: No text begins so; a client that forgets the modality of a file would get a vector of its letters.
_IS_FILE = re.compile(r"data:[\w.+-]+/[\w.+-]+(;[^,;]*)*;base64,", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Served:
    """A model, the items of it that wait, and the labels that it has embedded."""

    name: str
    model: Model
    queue: Queue
    labels: LabelVectors = field(default_factory=LabelVectors)


class Service:
    """The models of a server, and what it allows.

    Args:
        peers: the other workers of the server; None: there are none.

    Attributes:
        models: what is served, by name.
        memory: the bytes of bodies that are held.
        health: whether requests can be answered.
        traces: makes spans of requests, where that is asked for.
        limits: what a file in a text may have: as much as a body.
        fetcher: fetches files behind URLs; None: nothing does.
    """

    def __init__(
        self, models: Mapping[str, Model], options: ServeOptions, peers: Peers | None = None
    ) -> None:
        self.options = options
        self.models = {
            name: Served(name, model, Queue(options.queue, options.queue_seconds))
            for name, model in models.items()
        }
        self.memory = Memory(options.max_bodies)
        self.health = Health(models, peers)
        self.traces = Traces(options.traces)
        self.limits = Limits(max_bytes=options.max_body)
        self.fetcher = Fetcher(options.fetch_urls) if options.fetch_urls else None
        self._aside = ThreadPoolExecutor(1, "bindrt-aside")

    def close(self) -> None:
        """Fetch no more."""
        self._aside.shutdown(wait=False)
        if self.fetcher is not None:
            self.fetcher.close()

    async def aside(self, work: Callable[[], Made]) -> Made:
        """What long work of the interpreter makes, while the event loop goes on with other requests.

        One at a time: millions of numbers as Python's objects take hundreds of megabytes.
        """
        return await asyncio.get_running_loop().run_in_executor(self._aside, work)

    def served(self, request: Request, name: str | None = None) -> Served:
        """The model that a request names; the first one if it names none.

        Raises:
            Fault: there is no such model.
        """
        if name is None:
            name = next(iter(self.models))
        if name not in self.models:
            known = ", ".join(self.models)
            text = f"model {name[:80]!r}: there is no such model; it is one of {known}"
            raise Fault(404, text, "NoModel", parts={"place": "model"})
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
        exchange_of(request.scope).items = sum(map(len, items.values()))
        return await self.embed_items(served, items, times_of(request), normalize, skip)

    async def embed_items(
        self,
        served: Served,
        items: Mapping[str, Sequence[Placed]],
        when: Mapping[str, Any],
        normalize: bool = True,
        skip: bool = False,
    ) -> Embeddings:
        """As :meth:`embed`; ``when`` has the ``priority`` and the ``deadline``, if there are any."""
        counts = {modality: len(placed) for modality, placed in items.items()}
        self.require_items(sum(counts.values()))
        given: Any = {modality: [each.item for each in placed] for modality, placed in items.items()}
        with served.queue.room_for(counts), self.traces.embed(served.name, counts):
            found = await served.model.aembed(on_error="skip", normalize=normalize, **when, **given)
        if found.errors and not skip:
            raise first_error(found.errors, items)
        return found

    async def files(
        self,
        request: Request,
        modality: str,
        uris: Sequence[tuple[str, str]],
        options: Mapping[str, str] | None = None,
    ) -> list[Placed]:
        """Files of a request, given as ``data:`` URIs or, where that is allowed, as URLs.

        Args:
            uris: each with its place.
            options: what is to be known of the files.

        Raises:
            Error: a URI is none, or its file cannot be had; there is no such modality or option.
        """
        require_modality(modality, "modality")
        check_options(options or {}, modality, "options")
        self.require_items(len(uris))
        if any(is_url(uri) for _, uri in uris):
            given = await all_of(self._file(request, uri, place) for place, uri in uris)
        else:
            given = [file_in_uri(uri, place, self.limits) for place, uri in uris]
        return [
            file_item(modality, data, place, options) for (place, _), data in zip(uris, given, strict=True)
        ]

    async def _file(self, request: Request, uri: str, place: str) -> bytes:
        if self.fetcher is None or not is_url(uri):
            return file_in_uri(uri, place, self.limits)
        exchange = exchange_of(request.scope)
        left = exchange.left_to_fetch(self.options.fetch_seconds)
        deadline = times_of(request).get("deadline", math.inf)
        try:
            most = self.options.max_body
            return await self.fetcher.fetch(uri, place, most, min(left, deadline), exchange.hold)
        except asyncio.TimeoutError:
            if deadline <= left:
                problem = "its deadline passed before its files were fetched"
                raise DeadlineExceeded("the request", problem) from None
            raise unreachable(place, f"it took more than {self.options.fetch_seconds:g} s") from None

    def text(self, text: str, place: str) -> Placed:
        """A text of a request.

        Raises:
            LimitError: it is too long.
            InputError: it is a file, which was meant for another modality.
        """
        if _IS_FILE.match(text):
            raise InputError(place, "it is a file as a data: URI, not a text", "name its modality")
        most = self.options.max_text
        if len(text) > most:
            raise LimitError(place, f"it has more than {most} characters", "only 77 tokens count: cut it")
        return Placed(place, text)

    def require_at_most(self, count: int) -> None:
        """Raises LimitError if those are too many items: before anything is made of them."""
        most = self.options.max_items
        if count > most:
            raise LimitError("the request", f"it has {count} items, {most} are the most", "send several")

    def require_items(self, count: int) -> None:
        """Raises Error if those are too many items, or none."""
        self.require_at_most(count)
        if not count:
            raise InputError("the request", "it has no items", "send at least one")


async def all_of(works: Iterable[Coroutine[Any, Any, Made]]) -> list[Made]:
    """What each returns, at the same time. If one fails, the others have ended before its error is raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        tasks.clear()  # their errors refer to this call, which would hold them until Python collects cycles


def times_of(request: Request) -> dict[str, Any]:
    """The priority and the deadline of a request, which began when its headers came; as :func:`times_in`."""
    return times_in(request.headers, exchange_of(request.scope).seconds)


def times_in(headers: Mapping[str, str], past: float) -> dict[str, Any]:
    """The priority and the deadline that stand in the headers ``x-priority`` and ``x-deadline``.

    Args:
        past: seconds since the request began.

    Raises:
        DeadlineExceeded: it has passed while the body came.
        Fault: a header is not a number.
    """
    found: dict[str, Any] = {}
    if (priority := headers.get("x-priority")) is not None:
        found["priority"] = int(_number("X-Priority", priority, whole=True))
    if (deadline := headers.get("x-deadline")) is not None:
        seconds = _number("X-Deadline", deadline)
        if seconds <= past:
            raise DeadlineExceeded("the request", "its deadline passed before its body was here")
        found["deadline"] = seconds - past
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
