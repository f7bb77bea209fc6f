"""The engines that a ``Model`` has in memory: opening, looking at, and freeing them."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from time import perf_counter

import numpy as np

from bindrt.bundle import Bundle
from bindrt.ending import engine_gate
from bindrt.engines import Engine
from bindrt.errors import InputError
from bindrt.item_types import ModalityName
from bindrt.lifetime import Lifetime
from bindrt.loaded_encoders import LoadedEncoders
from bindrt.modalities import MODALITIES
from bindrt.pipeline import Pipelines


class Holding:
    """What has engines in memory."""

    bundle: Bundle
    modalities: tuple[ModalityName, ...]
    embed_dim: int
    pipelines: Pipelines
    _loaded: LoadedEncoders
    _lifetime: Lifetime

    @property
    def is_open(self) -> bool:
        """Whether it may be used: it is not closed, and this is the process that loaded it.

        >>> with bindrt.load("tiny") as model:
        ...     model.is_open
        True
        >>> model.is_open
        False
        """
        return not self._lifetime.closed and self._lifetime.here()

    def memory(self) -> dict[str, dict[str, int]]:
        """For each encoder in memory, bytes of its ``weights`` on disk and the most its ``batches`` take.

        An encoder on a GPU has ``device`` too: what it takes there besides the weights.

        >>> with bindrt.load("tiny", modalities=["text"]) as model:
        ...     _ = model.warm_up()
        ...     sorted(model.memory()["text"])
        ['batches', 'weights']
        """
        return self._loaded.memory()

    def warm_up(self) -> tuple[str, ...]:
        """Load every encoder now and run each once, so that no later call pays for it.

        Returns:
            The modalities that are warm: with a ``memory_budget`` as many as fit, in the model's order; none
            is unloaded for another.

        >>> with bindrt.load("tiny", modalities=["text"]) as model:
        ...     model.warm_up()
        ('text',)
        """
        warm = []
        for modality in self.modalities:
            self._require(modality)
            encoder = self.bundle.manifest.encoders[MODALITIES[modality].encoder]
            engine = self._loaded.warm(encoder.name)
            if engine is not None:
                with engine_gate:
                    begin = perf_counter()
                    engine.run(
                        np.ones((1, *encoder.view), encoder.dtype), np.empty((1, self.embed_dim), np.float32)
                    )
                self.pipelines.row_seconds[encoder.name] = perf_counter() - begin
                warm.append(modality)
        return tuple(warm)

    def engine(self, modality: ModalityName) -> Engine:
        """The engine that computes a modality, opened if it is not yet.

        Its ``name``, ``device``, ``precision`` and ``max_batch`` say what ``engine="auto"`` has chosen.

        >>> with bindrt.load("tiny", engine="onnxruntime") as model:
        ...     model.engine("text").name
        'onnxruntime'
        """
        self._require(modality)
        return self._loaded.engine(MODALITIES[modality].encoder)

    @property
    def engines(self) -> Mapping[str, Engine]:
        """The engines that are open, by encoder. :meth:`engine` opens one.

        >>> with bindrt.load("tiny", modalities=["text"]) as model:
        ...     before = dict(model.engines)
        ...     _ = model.embed(text="a bell ringing")
        ...     before, list(model.engines)
        ({}, ['text'])
        """
        return dict(self._loaded.engines)

    def unload(self, modality: ModalityName) -> None:
        """Free the encoder of a modality; image and video share one. It is loaded again when used.

        >>> with bindrt.load("tiny", modalities=["text"]) as model:
        ...     _ = model.warm_up()
        ...     model.unload("text")
        ...     dict(model.engines)
        {}
        """
        self._require(modality)
        self._loaded.unload(MODALITIES[modality].encoder)

    def _require(self, modality: str) -> None:
        self._lifetime.require()
        if modality in self.modalities:
            return
        if not isinstance(modality, str) or modality not in MODALITIES:
            near = get_close_matches(str(modality), (*MODALITIES, "normalize", "on_error"), 1)
            remedy = f"did you mean {near[0]}? " if near else ""
            raise InputError(
                f"{modality}=", "unknown modality or option", f"{remedy}One of {', '.join(MODALITIES)}"
            )
        raise InputError(
            f"{modality}=", "this model was not loaded with it", f"it has {', '.join(self.modalities)}"
        )
