"""``precision="fastest"``: which space the encoders of a model compute in, so that it is one for all."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from bindrt.bundle import Bundle
from bindrt.bundle.manifest import EngineFiles
from bindrt.engines import Engine, EngineSettings
from bindrt.errors import EngineError
from bindrt.precisions import PRECISION_CLASS, of_class
from bindrt.selection.auto import measured
from bindrt.selection.candidates import candidates
from bindrt.selection.choices import keep_choice, read_choice
from bindrt.selection.contest import Contest, in_turns

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
    encoder in one go, once on a machine for these encoders.

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
    groups = [found for of_space in spaces.values() for found in of_space]
    record = read_choice("spaces", groups, settings) or {}
    kinds = {_name(kind): kind for kind in spaces}
    best, why = str(record.get("chosen")), str(record.get("why"))
    if best not in kinds:
        best, why = _measured(bundle, spaces, settings)
        kept = {
            "bundle": bundle.path.name,
            "encoder": ", ".join(found[0].encoder for found in spaces[kinds[best]]),
            "precision": ", ".join(kinds),
            "chosen": best,
            "why": why,
        }
        keep_choice("spaces", groups, settings, kept)
    LOG.info("%s: %s, since %s", bundle.path.name, best, why)
    return of_class(kinds[best]), f"{best}, since {why}"


def _measured(
    bundle: Bundle, spaces: Mapping[str, list[tuple[EngineFiles, ...]]], settings: EngineSettings
) -> tuple[str, str]:
    """The name of the space, and why it is this one.

    Times that were measured at another hour, or while the machine had other work, say nothing here. So all
    encoders are measured at once: in each space its fastest engine is found, then these run in turns.
    """
    sums = dict.fromkeys(spaces, 0.0)
    failed: list[str] = []
    for of_encoder in zip(*spaces.values(), strict=True):
        contests: dict[str, Contest] = {}
        for kind, found in zip(spaces, of_encoder, strict=True):
            if kind not in sums:
                continue
            try:
                contests[kind] = measured(bundle, found, settings)[0]
            except EngineError as error:
                LOG.warning("%s: %s is passed over: %s", bundle.path.name, kind, error)
                failed.append(f"{kind}: {error}")
                del sums[kind]
        if not contests:
            break
        for kind, taken in zip(contests, in_turns(*(c.run_best for c in contests.values())), strict=True):
            sums[kind] += taken
    if not sums:
        raise EngineError(bundle.path.name, f"no precision runs here ({'; '.join(failed)})", "export again")
    best = min(sums, key=lambda kind: sums[kind])
    times = ", ".join(f"{_name(kind)} {1e3 * s:.1f} ms" for kind, s in sums.items())
    return _name(best), f"one item of each encoder took {times}"


def _name(kind: str) -> str:
    return "/".join(of_class(kind))
