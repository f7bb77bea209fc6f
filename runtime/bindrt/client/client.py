"""``Client``: the calls of a model, answered by a server."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from bindrt.arrays import item_name
from bindrt.client.answers import Reader, Rows
from bindrt.client.connections import Call, Connections
from bindrt.client.uploads import bodies
from bindrt.columns import as_items
from bindrt.embeddings import Embeddings
from bindrt.embeddings.sources import sources_of
from bindrt.errors import EngineError, Error, OptionError
from bindrt.item_types import ItemsByModality, OnError
from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.modalities import MODALITIES
from bindrt.notes import Notes
from bindrt.numeric import is_positive
from bindrt.option_checks import is_normalized, is_skip, require_whole
from bindrt.pipeline.request_options import request_options
from bindrt.zero_shot import ZeroShot, chosen_probe, only_modality

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from bindrt.probe import Probe


class Part(NamedTuple):
    """Items of one modality that are sent together, where their size allows it."""

    modality: str
    first: int
    items: Sequence[object]


class Asked(NamedTuple):
    """What a call asks: fields and headers of each of its requests, and how the result is made."""

    fields: dict[str, Any]
    headers: dict[str, str]
    normalize: bool
    skip: bool


class Client:
    """Embeds items by a server, with the calls and the meaning of :class:`bindrt.Model`. No model is here.

    Files are sent as they are. Arrays, and items with options, are prepared here, and the model's input is
    sent: the result is that of a model here. A request that the server is too busy for is sent again.

    Args:
        url: the server's, for example ``http://127.0.0.1:8080``.
        model: which of the server's models; by default its first.
        api_key: sent as a bearer token.
        timeout: seconds that the server may take to answer a request.
        retries: how often a request is sent again that the server was too busy for, or did not reach it.
        batch: the most items of a request.
        connections: requests at the same time.
        limits: what an item may decode to that is prepared here.
        tls: for ``https``; None: the system's certificates.

    Raises:
        OptionError: an argument has no such value. The server is not asked yet.

    >>> with bindrt.Client(server) as client:  # "http://127.0.0.1:8080"
    ...     client.embed(text=["a bell ringing", "a car driving"])
    Embeddings(text [2, 96]; unit length; space imagebind-96-float-...)
    """

    def __init__(
        self,
        url: str,
        *,
        model: str | None = None,
        api_key: str | None = None,
        timeout: float = 60.0,
        retries: int = 4,
        batch: int = 64,
        connections: int = 8,
        limits: Limits = DEFAULT_LIMITS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        if not is_positive(timeout):
            raise OptionError(f"timeout={timeout!r}", "not a time", "give seconds above 0")
        require_whole("retries", retries, "retries", 0, 1000)
        require_whole("batch", batch, "items", 1, 100_000)
        require_whole("connections", connections, "connections", 1, 1024)
        self._model = model
        self._limits = limits
        self._batch = batch
        headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
        self._connections = Connections(url, headers, timeout, retries, tls)
        self._workers = ThreadPoolExecutor(connections, "bindrt-client")

    def embed(
        self,
        *,
        normalize: bool = True,
        on_error: OnError = "raise",
        priority: int = 0,
        deadline: float | None = None,
        **items: Unpack[ItemsByModality],
    ) -> Embeddings:
        """Embed items of any modalities, as :meth:`bindrt.Model.embed`.

        Args:
            items: modalities with one item or a list of items each.
            priority, deadline: as in :meth:`bindrt.Model.submit`; they hold for every item.

        Raises:
            Error: an item is bad (with ``raise``), an option or a modality is not known, the server cannot be
                reached or is too busy (:class:`bindrt.Overloaded`), or does not answer in time
                (:class:`bindrt.DeadlineExceeded`).

        >>> bindrt.Client(server).embed(image="bell.jpg", on_error="skip").image.shape
        (1, 96)
        """
        asked, given = self._asked(normalize, on_error, priority, deadline), _given(items)
        parts = list(self._parts(given))
        calls = [Call() for _ in parts]
        try:
            if len(parts) == 1:
                return self._collect(given, [self._send(parts[0], asked, calls[0])], asked)
            futures = [
                self._workers.submit(self._send, part, asked, call)
                for part, call in zip(parts, calls, strict=True)
            ]
            return self._collect(given, [future.result() for future in futures], asked)
        except BaseException:
            for call in calls:
                call.end()
            raise

    async def aembed(
        self,
        *,
        normalize: bool = True,
        on_error: OnError = "raise",
        priority: int = 0,
        deadline: float | None = None,
        **items: Unpack[ItemsByModality],
    ) -> Embeddings:
        """As :meth:`embed`, for asyncio. When its task is cancelled, the server drops the requests.

        >>> asyncio.run(bindrt.Client(server).aembed(audio="bell.wav", deadline=5.0)).audio.shape
        (1, 96)
        """
        asked, given = self._asked(normalize, on_error, priority, deadline), _given(items)
        parts = list(self._parts(given))
        calls = [Call() for _ in parts]
        futures = [
            self._workers.submit(self._send, part, asked, call)
            for part, call in zip(parts, calls, strict=True)
        ]
        try:
            await asyncio.gather(*map(asyncio.wrap_future, futures), return_exceptions=True)
            rows = [future.result() for future in futures]  # the first part that failed raises, as in embed
            return await asyncio.to_thread(self._collect, given, rows, asked)
        except BaseException:
            for call in calls:
                call.end()
            raise

    def zero_shot(self, labels: Sequence[str], templates: str | Sequence[str] | None = None) -> ZeroShot:
        """Embed text labels once, as :meth:`bindrt.Model.zero_shot`.

        >>> bindrt.Client(server).zero_shot(["a bell ringing", "a car"])(image="bell.jpg").topk()[0][0][0]
        'a bell ringing'
        """
        return ZeroShot(self.embed, float(self._told("text_scale")), labels, templates)

    def classify(
        self,
        *,
        labels: Sequence[str] | None = None,
        templates: str | Sequence[str] | None = None,
        probe: Probe | str | os.PathLike[str] | None = None,
        on_error: OnError = "raise",
        **items: Unpack[ItemsByModality],
    ) -> npt.NDArray[np.float32]:
        """Which label fits each item of one modality, as :meth:`bindrt.Model.classify`.

        Returns:
            float32 ``[N, labels]``: the probability of each label for each item.

        >>> int(bindrt.Client(server).classify(image="bell.jpg", labels=["a bell ringing", "a car"]).argmax())
        0
        """
        only_modality("classify", items)
        if (known := chosen_probe(probe, labels, templates)) is not None:
            return known.probabilities(self.embed(on_error=on_error, **items))
        return self.zero_shot(() if labels is None else labels, templates)(
            on_error=on_error, **items
        ).probabilities

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities that the server embeds.

        >>> bindrt.Client(server).modalities
        ('image', 'video', 'text', 'audio', 'depth', 'thermal', 'imu')
        """
        return tuple(self._told("modalities"))

    @property
    def space(self) -> str:
        """Fingerprint of the server's embedding space.

        >>> bindrt.Client(server).space == model.space
        True
        """
        return str(self._told("space"))

    @property
    def embed_dim(self) -> int:
        """Length of a vector.

        >>> bindrt.Client(server).embed_dim
        96
        """
        return int(self._told("dimensions"))

    def close(self) -> None:
        """Close the connections; calls that are on their way are finished first.

        >>> client = bindrt.Client(server)
        >>> client.close()
        >>> client.embed(text="a bell")
        Traceback (most recent call last):
        bindrt.errors.ClosedError: ...
        """
        self._workers.shutdown()
        self._connections.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self._connections.url})"

    @cached_property
    def _about(self) -> Mapping[str, Any]:
        """What the server says of the model."""
        reader = Reader(self._connections.url)
        models = reader.object(self._connections.call("GET", "/v1/models", None, {}, Call())).get("data")
        for model in models if isinstance(models, list) else ():
            if isinstance(model, dict) and self._model in (None, model.get("id")):
                return model
        raise OptionError(f"model={self._model!r}", f"{reader.url} has none of this name", "see /v1/models")

    def _told(self, name: str) -> Any:
        """A fact about the model.

        Raises:
            EngineError: the server does not tell it.
        """
        if name not in self._about:
            raise EngineError(self._connections.url, f"/v1/models tells no {name}", "is this bind-serve?")
        return self._about[name]

    def _asked(self, normalize: bool, on_error: str, priority: int, deadline: float | None) -> Asked:
        self._connections.require_open()
        request_options(priority, deadline, True)  # checks them
        fields: dict[str, Any] = {"encoding_format": "base64"}
        if not is_normalized(normalize):
            fields["normalize"] = False
        if skip := is_skip(on_error):
            fields["on_error"] = "skip"
        if self._model is not None:
            fields["model"] = self._model
        headers = {} if priority == 0 else {"X-Priority": str(priority)}
        if deadline is not None:
            headers["X-Deadline"] = repr(float(deadline))
        return Asked(fields, headers, bool(normalize), skip)

    def _parts(self, given: Mapping[str, list[object]]) -> Iterator[Part]:
        for modality, items in given.items():
            for first in range(0, len(items), self._batch):
                yield Part(modality, first, items[first : first + self._batch])

    def _send(self, part: Part, asked: Asked, call: Call) -> Rows:
        """The vectors of a part. An item that cannot be sent fails as one that the server refuses."""
        call.require()
        found = Rows()
        given = part.modality, part.items, part.first
        for body in bodies(*given, asked.fields, self._limits, found.errors, asked.skip):
            names = {n: item_name(part.items[n - part.first]) for n in body.indices}
            headers = {**asked.headers, "Content-Type": body.kind}
            answer = self._connections.call("POST", body.route, body.content, headers, call)
            found.add(Reader(self._connections.url, part.modality, names).rows(answer), body.notes)
        found.raise_first(asked.skip)
        return found

    def _collect(self, given: Mapping[str, list[object]], parts: Sequence[Rows], asked: Asked) -> Embeddings:
        known = [vector for rows in parts for vector in rows.vectors.values()]
        dim = len(known[0]) if known else self.embed_dim
        vectors = {m: np.full((len(items), dim), np.nan, np.float32) for m, items in given.items()}
        errors: dict[tuple[str, int], Error] = {}
        notes: dict[tuple[str, int], Notes] = {}
        for part, rows in zip(self._parts(given), parts, strict=True):
            for number, vector in rows.vectors.items():
                if len(vector) != dim:
                    raise Reader(self._connections.url).strange("its vectors differ in length")
                vectors[part.modality][number] = vector
            errors |= {(part.modality, n): error for n, error in rows.errors.items()}
            notes |= {(part.modality, n): each for n, each in rows.notes.items()}
        space = next((rows.space for rows in parts if rows.space), "") or self.space
        sources = {m: sources_of(items) for m, items in given.items()}
        return Embeddings(vectors, space, asked.normalize, errors, notes, sources)


def _given(items: Mapping[str, Any]) -> dict[str, list[object]]:
    """The items by modality, in the usual order.

    Raises:
        OptionError: there is no such modality.
    """
    for modality in items:
        if modality not in MODALITIES:
            raise OptionError(repr(modality), "no such modality", f"one of {', '.join(MODALITIES)}")
    return {m: as_items(m, items[m]) for m in MODALITIES if items.get(m) is not None}
