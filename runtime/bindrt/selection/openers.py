"""How each encoder of a model gets its engine: one of the bundle's, or the user's own."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from time import perf_counter
from typing import NamedTuple, Protocol

from bindrt import _core
from bindrt.bundle import Bundle
from bindrt.bundle.manifest import EngineFiles
from bindrt.engines import ENGINES, Engine, EnginePlace, EngineSettings
from bindrt.engines.registry import require_known_device, require_known_engine
from bindrt.errors import BundleError, EngineError
from bindrt.precisions import FAST, FASTEST
from bindrt.selection.auto import known
from bindrt.selection.candidates import at_once, candidates, choose_among
from bindrt.selection.opening import open_engine

LOG = logging.getLogger(__name__)


class Chosen(NamedTuple):
    """What runs an encoder, and why."""

    engine: str
    precision: str
    why: str


class Opener(Protocol):
    """Opens one encoder's engine."""

    @property
    def weights(self) -> int:
        """Bytes of its files on disk, the most of those it may choose among; 0 for the user's own."""
        ...

    def open(self) -> Engine:
        """Called when the encoder is first used, and again after it was unloaded."""
        ...

    def chosen(self) -> Chosen | None:
        """What was chosen; None if it is to be measured yet."""
        ...

    def expected(self) -> Engine | EnginePlace | None:
        """What will run, as far as that is known before it is opened; None: not before."""
        ...


class OwnOpener:
    """An engine of the user's own, which is open."""

    weights = 0

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open(self) -> Engine:
        return self._engine

    def chosen(self) -> Chosen:
        return Chosen(self._engine.name, self._engine.precision, "it was given to load")

    def expected(self) -> Engine:
        return self._engine


class BundleOpener:
    """One of the engines that the bundle has files for; which one is decided once."""

    def __init__(
        self, bundle: Bundle, found: Sequence[EngineFiles], settings: EngineSettings, why_space: str
    ) -> None:
        self.weights = max(sum(f.bytes for f in files.files) for files in found)
        self._bundle = bundle
        self._found = found
        self._settings = settings
        self._why_space = why_space
        self._decided = at_once(found, settings)

    def open(self) -> Engine:
        decided = self._decided or choose_among(self._bundle, self._found, self._settings)
        start = perf_counter()
        engine, self._decided = self._open_or_next(decided)
        files, why = self._decided
        LOG.info(
            "%s %s: %s %s on %s, opened in %.2f s; %s",
            *(self._bundle.path.name, files.encoder, engine.name, engine.precision, engine.device),
            *(perf_counter() - start, why),
        )
        return engine

    def _open_or_next(self, decided: tuple[EngineFiles, str]) -> tuple[Engine, tuple[EngineFiles, str]]:
        """The engine decided on; if it refuses its files, the next of the same precision that opens."""
        try:
            return open_engine(self._bundle, decided[0], self._settings), decided
        except (BundleError, EngineError) as error:
            first, refusal = decided[0], error
        for files in self._found:
            if files is first or files.precision != first.precision:
                continue
            try:
                engine = open_engine(self._bundle, files, self._settings)
            except (BundleError, EngineError):
                continue
            LOG.warning(
                "%s %s: %s does not open, and %s is taken: %s",
                *(self._bundle.path.name, files.encoder, first.engine, files.engine, refusal),
            )
            return engine, (files, f"{first.engine} does not open")
        raise refusal

    def chosen(self) -> Chosen | None:
        if self._decided is None:
            self._decided = known(self._found, self._settings)
        if self._decided is None:
            return None
        files, why = self._decided
        return Chosen(
            files.engine, files.precision, "; ".join(text for text in (why, self._why_space) if text)
        )

    def expected(self) -> EnginePlace | None:
        """A plan runs on a GPU, and the manifest says how many rows it takes and what it reads."""
        if self._decided is None or not _core.gpu.available():
            return None
        files = self._decided[0]
        if not ENGINES[files.engine].reads_plans or files.max_batch is None:
            return None
        return EnginePlace(True, files.max_batch, files.input or "float32")


def openers(
    bundle: Bundle,
    encoders: Iterable[str],
    engine: str,
    precisions: Sequence[str],
    settings: EngineSettings,
    own: Mapping[str, Engine],
    why_space: str = "",
    background: Collection[str] = (),
) -> dict[str, Opener]:
    """By encoder.

    Args:
        precisions: those that may be chosen among, all of one space.
        why_space: why they are of this space, if it was chosen.
        background: encoders that give way to the others.

    Raises:
        OptionError: the names of engine or device are not known.
        EngineError: the bundle has nothing that fits for an encoder without an engine of the user's own.
    """
    require_known_engine(engine)
    require_known_device(settings.device)
    found: dict[str, Opener] = {}
    for encoder in encoders:
        if encoder in own:
            found[encoder] = OwnOpener(own[encoder])
            continue
        files = candidates(bundle, encoder, engine, precisions, settings.device, settings.startup)
        own_settings = replace(settings, background=encoder in background)
        found[encoder] = BundleOpener(bundle, files, own_settings, why_space)
    return found


def chosen_precision(found: Mapping[str, Opener], asked: str) -> str:
    """What the encoders compute in: one name, or one for each encoder where they differ.

    Those that were not measured yet are left out; ``asked`` if that is all of them.
    """
    if asked not in (FAST, FASTEST):
        return asked
    chosen = {encoder: one.precision for encoder in sorted(found) if (one := found[encoder].chosen())}
    names = sorted(set(chosen.values()))
    if len(names) > 1:
        return ", ".join(f"{precision} ({encoder})" for encoder, precision in chosen.items())
    return names[0] if names else asked


def choice_text(found: Mapping[str, Opener], asked: str) -> str:
    """For ``repr``: the precision, and the engines that compute in it where these were chosen as fastest."""
    if asked not in (FAST, FASTEST):
        return asked
    precision = chosen_precision(found, asked)
    names = sorted({chosen.engine for one in found.values() if (chosen := one.chosen())})
    return f"{precision} by {', '.join(names)}, chosen as {asked}" if names else f"{asked}, not measured yet"
