"""One request and its answer: limits of the body, hanging up, errors as JSON, and what the log says of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from bindrt.errors import LimitError
from bindrt.serving.admission import Memory
from bindrt.serving.faults import RETRY, Fault, fault_of
from bindrt.serving.options import ServeOptions
from bindrt.serving.protocol import Protocol
from bindrt.serving.replies import json_bytes

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Where a scope has its exchange.
KEY = "bindrt.exchange"
#: Where a scope has its :class:`HangUp`, if its server tells when a connection ends.
HANG_UP = "bindrt.hang_up"
#: The status of a request whose client went away before it was answered; only logs and metrics have it.
GONE = 499


class HangUp:
    """Tells who answers a request that its client has gone.

    Attributes:
        tell: what is called then; None: nobody needs to know.
    """

    def __init__(self) -> None:
        self.tell: Callable[[], None] | None = None


class Exchange:
    """Carries out one request.

    Attributes:
        status: of the answer; 0 until it begins.
        bytes_in, bytes_out: of the bodies; ``held``: of the body and of files that were fetched for it.
        items: how many the request has; ``model``: who embeds them. Those who answer set them, for the log.
    """

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        protocol: Protocol,
        options: ServeOptions,
        memory: Memory,
    ) -> None:
        self.scope = scope
        self.protocol = protocol
        self.status = 0
        self.bytes_in = self.bytes_out = self.held = self.items = 0
        self.model = ""
        self.started = time.perf_counter()
        self._receive = receive
        self._send = send
        self._options = options
        self._memory = memory
        self._fault: Fault | None = None  # why the work was cancelled
        self._is_gone = self._is_answered = self._is_over = False
        self._fetched_until: float | None = None
        self._task: asyncio.Task[Any] | None = None
        self._watch: asyncio.Task[None] | None = None
        scope[KEY] = self

    @property
    def seconds(self) -> float:
        """Since its headers came."""
        return time.perf_counter() - self.started

    async def run(self, app: ASGIApp) -> None:
        """Lets ``app`` answer. What it raises becomes JSON of the request's protocol."""
        self._task = asyncio.current_task()
        timer = asyncio.get_running_loop().call_later(self._options.body_seconds, self._on_slow)
        self._timer = timer
        try:
            self._check_headers()
            await app(self.scope, self.receive, self.send)
        except asyncio.CancelledError:
            await self._on_cancelled()
        except Exception as error:
            await self._refuse(fault_of(error))
        finally:
            timer.cancel()
            if self._watch is not None:
                self._watch.cancel()
            self._is_over = True
            self._memory.give_back(self.held)
            self._let_go()

    async def receive(self) -> Message:
        """The next part of the body, within the limits. After its end the client may only hang up."""
        message: Message = await self._receive()
        if message["type"] == "http.disconnect":
            self._is_gone = True
            raise Fault(GONE, "the client hung up")
        size = len(message.get("body", b""))
        self.hold(size)
        self.bytes_in += size
        if not message.get("more_body", False):
            self._timer.cancel()
            if (connection := self.scope.get(HANG_UP)) is not None:
                connection.tell = self._on_gone
            else:  # another server than ours; a task for each request costs time
                self._watch = asyncio.create_task(self._watch_client())
        return message

    def _let_go(self) -> None:
        """Nothing refers to itself any more: what a request held is free at once, and not when cycles are."""
        self._task = self._watch = self._fault = None
        self.scope.pop(KEY, None)
        if (connection := self.scope.pop(HANG_UP, None)) is not None:
            connection.tell = None

    def hold(self, size: int) -> None:
        """Counts bytes that are held until the request is answered.

        Raises:
            LimitError: they are too many for one request.
            Overloaded: they are too many beside those of others.
            Fault: it has been answered, so that nobody would give them back.
        """
        if self._is_over:
            raise Fault(GONE, "the request is over")
        self._require_size(self.held + size)
        self._memory.take(size)
        self.held += size

    def left_to_fetch(self, seconds: float) -> float:
        """What is left of the seconds in which all files must have come that are fetched for it."""
        if self._fetched_until is None:
            self._fetched_until = self.seconds + seconds
        return self._fetched_until - self.seconds

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.bytes_out += len(message.get("body", b""))
            self._is_answered = not message.get("more_body", False)
        await self._send(message)

    def _check_headers(self) -> None:
        """Refuses a body that is too long by its own account, or compressed, before any of it is read."""
        for name, value in self.scope["headers"]:
            if name == b"content-length" and value.isdigit():
                self._require_size(int(value))
            elif name == b"content-encoding" and value.lower() not in (b"", b"identity"):
                how = value.decode("latin-1")[:40]
                raise Fault(415, f"the body: it is compressed ({how}); send it as it is", "Compressed")

    def _require_size(self, size: int) -> None:
        most = self._options.max_body
        if size > most:
            raise LimitError(
                "the body", f"it has more than {most} bytes", "send fewer items, or smaller ones"
            )

    def _on_slow(self) -> None:
        seconds = self._options.body_seconds
        self._cancel(Fault(408, f"the body did not come within {seconds:g} seconds", "Timeout", CLOSE))

    def _cancel(self, fault: Fault) -> None:
        if not self._is_answered and self._task is not None:
            self._fault = fault
            self._task.cancel()

    async def _watch_client(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._on_gone()

    def _on_gone(self) -> None:
        self._is_gone = not self._is_answered
        self._cancel(Fault(GONE, "the client hung up"))

    async def _on_cancelled(self) -> None:
        """Work is cancelled for a reason of the request, or because the server ends and waits no longer."""
        fault, self._fault = self._fault, None
        await self._refuse(fault or Fault(503, "the server ends", "Ending", RETRY))

    async def _refuse(self, fault: Fault) -> None:
        self._task = None  # nothing cancels the answer itself
        if self._is_gone:
            self.status = GONE
        elif not self.status:
            body = json_bytes(self.protocol.error(fault))
            headers = {**fault.headers, "content-type": "application/json", "content-length": str(len(body))}
            raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
            await self.send({"type": "http.response.start", "status": fault.status, "headers": raw})
            await self.send({"type": "http.response.body", "body": body})


#: The connection is of no further use.
CLOSE = {"connection": "close"}


def exchange_of(scope: Scope) -> Exchange:
    """The exchange that a scope belongs to."""
    found: Exchange = scope[KEY]
    return found
