"""``precision="fastest"``: which space the encoders of a model compute in, so that it is one for all."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from bindrt.bundle import Bundle
from bindrt.bundle.manifest import EngineFiles
from bindrt.engines import Engine, EngineSettings
from bindrt.errors import EngineError
from bindrt.precisions import PRECISION_CLASS, of_class
from bindrt.selection.auto import known, measured
from bindrt.selection.candidates import candidates

LOG = logging.getLogger(__name__)


def fastest_space(
    bundle: Bundle,
    encoders: Iterable[str],
    engine: str,
    settings: EngineSettings,
    own: Mapping[str, Engine],
) -> tuple[tuple[str, ...], str]:
    """The precisions of the space in which all encoders together are fastest, and why it is this one.

    The times of one item in each encoder are added. Where several spaces can be had, this measures every
    encoder, once on a machine.

    Raises:
        EngineError: there is no space in which every encoder runs here.
    """
    wanted = sorted(set(encoders) - set(own))
    spaces: dict[str, list[tuple[EngineFiles, ...]]] = {}
    problem: EngineError | None = None
    for kind in _classes(own):
        try:
            spaces[kind] = [
                candidates(bundle, e, engine, of_class(kind), settings.device, settings.startup)
                for e in wanted
            ]
        except EngineError as error:  # an encoder has no files of it, or they do not run here
            problem = problem or error
    if not spaces:
        raise problem or EngineError(
            "engines", "they are of different spaces", "give engines of one precision"
        )
    if len(spaces) == 1:
        return of_class(next(iter(spaces))), ""
    return _shortest(bundle, spaces, settings)


def _classes(own: Mapping[str, Engine]) -> list[str]:
    """The classes of precisions; those of the user's own engines alone, if there are any."""
    fixed = {PRECISION_CLASS[engine.precision] for engine in own.values()}
    return [kind for kind in dict.fromkeys(PRECISION_CLASS.values()) if fixed <= {kind}]


def _shortest(
    bundle: Bundle, spaces: Mapping[str, list[tuple[EngineFiles, ...]]], settings: EngineSettings
) -> tuple[tuple[str, ...], str]:
    sums: dict[str, float] = {}
    failed: list[str] = []
    for kind, encoders in spaces.items():
        try:
            sums[kind] = sum(_seconds(bundle, found, settings) for found in encoders)
        except EngineError as error:
            LOG.warning("%s: %s is passed over: %s", bundle.path.name, kind, error)
            failed.append(f"{kind}: {error}")
    if not sums:
        raise EngineError(bundle.path.name, f"no precision runs here ({'; '.join(failed)})", "export again")
    best = min(sums, key=lambda kind: sums[kind])
    times = ", ".join(f"{_name(kind)} {1e3 * s:.1f} ms" for kind, s in sums.items())
    why = f"{_name(best)}, since one item of each encoder took {times}"
    LOG.info("%s: %s", bundle.path.name, why)
    return of_class(best), why


def _name(kind: str) -> str:
    return "/".join(of_class(kind))


def _seconds(bundle: Bundle, found: tuple[EngineFiles, ...], settings: EngineSettings) -> float:
    """What one item takes in the fastest of these."""
    _, record = known(found, settings) or measured(bundle, found, settings)
    seconds = record["seconds"][record["chosen"]]
    return float(seconds)
