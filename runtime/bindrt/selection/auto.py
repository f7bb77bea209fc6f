"""The fastest of several engines, or of several precisions: measured once, and remembered on this machine."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from time import perf_counter

from bindrt.bundle import Bundle
from bindrt.bundle.manifest import EngineFiles
from bindrt.engines import EngineSettings
from bindrt.errors import BundleError, EngineError, Error
from bindrt.numeric import is_positive
from bindrt.selection.choices import compared, keep_choice, labels, read_choice
from bindrt.selection.contest import Contest

LOG = logging.getLogger(__name__)


def fastest(
    bundle: Bundle, found: Sequence[EngineFiles], settings: EngineSettings
) -> tuple[EngineFiles, str]:
    """The candidate with the shortest time for one item, and why: measured now, or remembered.

    Raises:
        EngineError: none of them runs.
    """
    if (earlier := known(found, settings)) is not None:
        return earlier
    _, files, why = measured(bundle, found, settings)
    return files, why


def known(found: Sequence[EngineFiles], settings: EngineSettings) -> tuple[EngineFiles, str] | None:
    """What was chosen earlier among these, and why; None if nothing was."""
    record = read_choice(found[0].encoder, [found], settings)
    if record is None:
        return None
    names, seconds = dict(zip(labels(found), found, strict=True)), record.get("seconds")
    files = names.get(chosen := str(record.get("chosen")))
    if files is None or not isinstance(seconds, dict) or not is_positive(seconds.get(chosen)):
        return None
    return files, f"{record.get('why')}, as measured earlier"


def measured(
    bundle: Bundle, found: Sequence[EngineFiles], settings: EngineSettings
) -> tuple[Contest, EngineFiles, str]:
    """The same measured now, and remembered; with the contest, in which the fastest is open.

    Raises:
        EngineError: none of them runs.
    """
    names = labels(found)
    what = f"{bundle.path.name} {found[0].encoder} {compared(found)}"
    LOG.info("%s: measuring %s, once on this machine", what, ", ".join(names))
    start = perf_counter()
    contest = Contest(bundle, settings)
    for name, files in zip(names, found, strict=True):
        contest.enter(name, files)
    chosen, why = decide(contest.best, contest.seconds, contest.problems)
    LOG.info("%s: %s, since %s; measuring took %.1f s", what, chosen, why, perf_counter() - start)
    for name, problem in contest.problems.items():
        LOG.warning("%s: %s is passed over, it does not run: %s", what, name, in_short(problem))
    record = {
        "bundle": bundle.path.name,
        "encoder": found[0].encoder,
        "precision": compared(found),
        "chosen": chosen,
        "why": why,
        "seconds": contest.seconds,
        "precisions": {name: e.precision for name, e in zip(names, found, strict=True)},
    }
    keep_choice(found[0].encoder, [found], settings, record)
    return contest, found[names.index(chosen)], why


def decide(best: str | None, seconds: dict[str, float], problems: dict[str, Error]) -> tuple[str, str]:
    """The name of the fastest, and the reason in words.

    Raises:
        BundleError: none runs, and the bundle is to blame each time; that of the first.
        EngineError: none runs.
    """
    if best is None:
        if all(isinstance(problem, BundleError) for problem in problems.values()):
            raise next(iter(problems.values()))
        text = "; ".join(f"{name}: {in_short(problem)}" for name, problem in problems.items())
        raise EngineError("engine='auto'", f"none of the engines runs ({text})", "export again")
    times = ", ".join(f"{name} {1e3 * s:.1f} ms" for name, s in seconds.items())
    failed = "".join(f"; {name} does not run: {in_short(problem)}" for name, problem in problems.items())
    return best, f"one item took {times}{failed}"


def in_short(problem: Error) -> str:
    return str(problem)[:300]
