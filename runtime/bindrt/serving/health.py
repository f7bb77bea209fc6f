"""Whether a server can answer: its models are warm and open, and it is not ending."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from bindrt.errors import Error
from bindrt.model import Model
from bindrt.serving.pulse import INTERVAL, Pulse
from bindrt.serving.workers.board import State
from bindrt.serving.workers.peers import Peers

LOG = logging.getLogger(__name__)


class Health:
    """What ``/ready`` tells.

    Args:
        peers: the other workers of the server; None: there are none.

    Attributes:
        is_ending: set when the server was told to end: it finishes what it has, and takes nothing new.
        on_warm: called once, when all is loaded and has run.
    """

    def __init__(self, models: Mapping[str, Model], peers: Peers | None = None) -> None:
        self._models = models
        self._peers = peers
        self._pulses = {name: Pulse(model) for name, model in models.items()}
        self._cold = "the models are being loaded"
        self.is_ending = False
        self.on_warm: Callable[[], object] = lambda: None

    async def warm_up(self) -> None:
        """Loads all encoders of all models, and runs each once; nothing where that is done."""
        if not self._cold:
            return
        for name, model in self._models.items():
            try:
                await asyncio.to_thread(model.warm_up)
            except Error as error:
                self._cold = f"{name} cannot be loaded: {error}"
                LOG.error("%s", self._cold)
                return
        self.on_warm()
        self._cold = ""
        self._tell()

    async def watch(self) -> None:
        """Looks at all pipelines, again and again."""
        while True:
            for pulse in self._pulses.values():
                pulse.look()
            self._tell()
            await asyncio.sleep(INTERVAL)

    def problem(self) -> str:
        """Why requests cannot be answered; empty if they can, by this process or by another worker."""
        if self.is_ending:
            return "the server is ending"
        own = self._own_problem()
        return self._peers.problem(own) if self._peers is not None else own

    def _tell(self) -> None:
        """Lets the other workers know."""
        if self._peers is not None:
            warm = State.STOPPED if self._own_problem() else State.READY
            self._peers.tell(State.COLD if self._cold else warm)

    def _own_problem(self) -> str:
        closed = [name for name, model in self._models.items() if not model.is_open]
        if closed or self._cold:
            return f"{closed[0]} is closed" if closed else self._cold
        for name, pulse in self._pulses.items():
            if pulse.problem:
                pulse.look()  # it may go on since
            if pulse.problem:
                return f"{name}: {pulse.problem}"
        return ""
