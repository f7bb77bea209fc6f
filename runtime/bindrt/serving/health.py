"""Whether a server can answer: its models are warm and open, and it is not ending."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from bindrt.errors import Error
from bindrt.model import Model
from bindrt.serving.pulse import INTERVAL, Pulse

LOG = logging.getLogger(__name__)


class Health:
    """What ``/ready`` tells.

    Attributes:
        is_ending: set when the server was told to end: it finishes what it has, and takes nothing new.
    """

    def __init__(self, models: Mapping[str, Model]) -> None:
        self._models = models
        self._pulses = {name: Pulse(model) for name, model in models.items()}
        self._cold = "the models are being loaded"
        self.is_ending = False

    async def warm_up(self) -> None:
        """Loads all encoders of all models, and runs each once."""
        for name, model in self._models.items():
            try:
                await asyncio.to_thread(model.warm_up)
            except Error as error:
                self._cold = f"{name} cannot be loaded: {error}"
                LOG.error("%s", self._cold)
                return
        self._cold = ""

    async def watch(self) -> None:
        """Looks at all pipelines, again and again."""
        while True:
            for pulse in self._pulses.values():
                pulse.look()
            await asyncio.sleep(INTERVAL)

    def problem(self) -> str:
        """Why requests cannot be answered; empty if they can."""
        if self.is_ending:
            return "the server is ending"
        closed = [name for name, model in self._models.items() if not model.is_open]
        if closed or self._cold:
            return f"{closed[0]} is closed" if closed else self._cold
        for name, pulse in self._pulses.items():
            if pulse.problem:
                pulse.look()  # it may go on since
            if pulse.problem:
                return f"{name}: {pulse.problem}"
        return ""
