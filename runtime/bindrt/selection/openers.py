"""How each encoder of a model gets its engine: one of the bundle's, or the user's own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter

from bindrt.bundle import Bundle
from bindrt.bundle.manifest import EngineFiles
from bindrt.engines import Engine, EngineSettings
from bindrt.engines.registry import require_known_device, require_known_engine
from bindrt.selection.candidates import candidates, choose_among
from bindrt.selection.opening import open_engine

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Opener:
    """Opens one encoder's engine.

    Attributes:
        open: called when the encoder is first used, and again after it was unloaded.
        weights: bytes of its files on disk, the most of those it may choose among; 0 for the user's own.
    """

    open: Callable[[], Engine]
    weights: int


def openers(
    bundle: Bundle,
    encoders: Iterable[str],
    engine: str,
    precision: str,
    settings: EngineSettings,
    own: Mapping[str, Engine],
) -> dict[str, Opener]:
    """By encoder.

    Raises:
        OptionError: the names of engine or device are not known.
        EngineError: the bundle has nothing that fits for an encoder without an engine of the user's own.
    """
    require_known_engine(engine)
    require_known_device(settings.device)
    found = {}
    for encoder in encoders:
        if encoder in own:
            found[encoder] = Opener(partial(own.__getitem__, encoder), 0)
            continue
        files = candidates(bundle, encoder, engine, precision, settings.device, settings.startup)
        weights = max(sum(f.bytes for f in one.files) for one in files)
        found[encoder] = Opener(partial(open_best, bundle, files, settings), weights)
    return found


def open_best(bundle: Bundle, found: Sequence[EngineFiles], settings: EngineSettings) -> Engine:
    files, why = choose_among(bundle, found, settings)
    start = perf_counter()
    engine = open_engine(bundle, files, settings)
    LOG.info(
        "%s %s: %s %s on %s, opened in %.2f s; %s",
        *(bundle.path.name, files.encoder, engine.name, engine.precision, engine.device),
        *(perf_counter() - start, why),
    )
    return engine
