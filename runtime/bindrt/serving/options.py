"""``ServeOptions``: limits of requests, and what is served."""

from __future__ import annotations

from dataclasses import dataclass, field

from bindrt.errors import OptionError
from bindrt.numeric import is_positive
from bindrt.option_checks import chosen_bool, require_whole

#: What each number counts, and its least value.
_NUMBERS = {
    "max_body": "bytes",
    "max_bodies": "bytes",
    "max_items": "items",
    "max_text": "characters",
    "queue": "items",
}


@dataclass(frozen=True)
class ServeOptions:
    """Limits of requests, and what is served.

    Attributes:
        max_body: bytes of one request's body. More: status 413.
        max_bodies: bytes of all bodies that are held at once. More: status 429. Answers that their clients
            are slow to read may hold as many; past them, the connection that waits longest ends, or over gRPC
            new answers are RESOURCE_EXHAUSTED.
        max_items: items of one request. More: status 413.
        max_text: characters of one text. More: status 413.
        queue: items of one modality that are accepted and not yet answered, of all requests of a model. More:
            status 429, with ``Retry-After``.
        queue_seconds: the longest time that items may have to wait for others, as told by how long those
            before them took. Longer: status 429 at once. Where nothing of their modality waits, none is
            refused.
        body_seconds: seconds in which a request's body must have come. Longer: status 408. In the same time
            an answer must be read; then its connection ends.
        api_keys: who may ask: texts that a request gives as ``Authorization: Bearer KEY`` or ``X-Api-Key``.
            None: everybody. ``/live`` and ``/ready`` need no key.
        origins: origins of web pages that may ask (CORS), for example ``https://example.org``. None: no page.
        fetch_urls: hosts from which files are fetched that a request names by URL: ``images.example.org``,
            ``*.example.org``, ``example.org:8000``, ``https://example.org``. None: no URL is fetched.
            Addresses inside a network never are.
        fetch_seconds: seconds in which all such files of a request must have come.
        index: the folder of an index that ``/v1/search`` searches, of the first model's space; None: none.
        weaviate_scales: vectors of Weaviate's protocol are as its container makes them, for an index that was
            made with it: they have the lengths of the original model, and depth and thermal pictures of 8
            bits are the mean of their colours. Else they are unit vectors, and such pictures errors.
        traces: make a span of each request with OpenTelemetry's tracer provider of this process (the extra
            ``otel``).
        access_log: tell the logger ``bindrt.serving.access`` of each request, as a line of JSON.

    Raises:
        OptionError: a value is none that the option can have.

    >>> ServeOptions(max_items=10).queue
    2048
    """

    max_body: int = 128 << 20
    max_bodies: int = 1 << 30
    max_items: int = 2048  # as many as OpenAI takes
    max_text: int = 100_000
    queue: int = 2048
    queue_seconds: float = 30.0
    body_seconds: float = 60.0
    api_keys: tuple[str, ...] = field(default=(), repr=False)  # no log shall have them
    origins: tuple[str, ...] = ()
    fetch_urls: tuple[str, ...] = ()
    fetch_seconds: float = 10.0
    index: str | None = None
    weaviate_scales: bool = False
    traces: bool = False
    access_log: bool = True

    def __post_init__(self) -> None:
        for name, what in _NUMBERS.items():
            require_whole(name, getattr(self, name), what, 1)
        for name in ("weaviate_scales", "traces", "access_log"):
            chosen_bool(name, getattr(self, name))
        for name in ("queue_seconds", "body_seconds", "fetch_seconds"):
            seconds = getattr(self, name)
            if not is_positive(seconds) or seconds > 1e6:
                raise OptionError(f"{name}={seconds!r}"[:80], "not a time", "give seconds above 0")
        if self.max_items > self.queue:
            raise OptionError(
                f"max_items={self.max_items}",
                f"a request of so many items never fits into a queue of {self.queue}",
                "lower it, or raise queue",
            )
        for name in ("api_keys", "origins", "fetch_urls"):
            _require_texts(name, getattr(self, name))
        if not all(key.isascii() and key.isprintable() for key in self.api_keys):
            raise OptionError("api_keys", "a key has characters that no header has", "give printable ASCII")


def _require_texts(name: str, value: object) -> None:
    if not isinstance(value, (tuple, list)) or not all(isinstance(text, str) and text for text in value):
        raise OptionError(name, "not a list of texts", "give a tuple of texts that are not empty")
