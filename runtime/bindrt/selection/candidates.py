"""The engine files of a bundle that an encoder could use here, and the one that it does."""

from __future__ import annotations

from collections.abc import Sequence

from bindrt.bundle import Bundle
from bindrt.bundle.manifest import EngineFiles
from bindrt.engines import ENGINES, EngineSettings
from bindrt.engines.registry import require_known_device, require_known_engine
from bindrt.engines.spec import FAST_RUN, FAST_START
from bindrt.errors import EngineError
from bindrt.precisions import PRECISION_CLASS
from bindrt.selection.auto import fastest
from bindrt.selection.derived import unable, usable_files
from bindrt.selection.meaning import precisions_meant


def candidates(
    bundle: Bundle,
    encoder: str,
    engine: str,
    precision: str | Sequence[str],
    device: str,
    startup: str = FAST_RUN,
) -> tuple[EngineFiles, ...]:
    """The engine files that could be used for an encoder; never of a precision that is not asked for.

    With ``engine="auto"``: those whose engine and device are here and that start as asked, in the order of
    preference. With an engine's name: its files, also where the engine is absent; opening it then says what
    is missing.

    Args:
        precision: one, or ``fast`` or ``fastest``; or several, any of which may be chosen.

    Raises:
        OptionError: the names are not known.
        EngineError: the bundle has nothing that fits, or nothing that fits runs here.
    """
    require_known_engine(engine)
    require_known_device(device)
    wanted = precisions_meant(bundle.manifest, precision) if isinstance(precision, str) else tuple(precision)
    held = usable_files(bundle.manifest, encoder)
    fitting = [e for e in held if e.precision in wanted and engine in ("auto", e.engine)]
    if not fitting:
        raise _nothing_fits(bundle, encoder, engine, wanted, held)
    usable = [e for e in fitting if not why_not(e, device)]
    if engine != "auto":  # opening a listed one tells what is missing
        usable = [e for e in fitting if not unable(e)]
    if not usable:
        raise none_runs_here(bundle, encoder, fitting, device)
    if engine == "auto":
        usable = list(with_startup(usable, startup, device))
    return tuple(sorted(_worth_measuring(usable), key=_rank))


def _rank(files: EngineFiles) -> tuple[bool, int]:
    return not _is_first(files), list(ENGINES).index(files.engine)


def _is_first(files: EngineFiles) -> bool:
    return files.precision in ENGINES[files.engine].first_for


def _worth_measuring(usable: Sequence[EngineFiles]) -> list[EngineFiles]:
    """Without the other precisions of a space in an engine that has units for one of them.

    Opening it in another may cost gigabytes of packed weights in the cache, to find a time that is longer.
    """
    better = {(e.engine, PRECISION_CLASS[e.precision]) for e in usable if _is_first(e)}
    return [e for e in usable if _is_first(e) or (e.engine, PRECISION_CLASS[e.precision]) not in better]


def _nothing_fits(
    bundle: Bundle, encoder: str, engine: str, wanted: Sequence[str], held: Sequence[EngineFiles]
) -> EngineError:
    precision = " or ".join(wanted)
    names = sorted({f"{e.engine} {e.precision}" for e in held if not unable(e)})
    return EngineError(
        f"{bundle.path.name} {encoder}",
        f"no {precision} files for engine {engine}; it holds {', '.join(names) or 'none'}",
        f"export again with --precision {wanted[0]}" + (f" --engine {engine}" if engine != "auto" else ""),
    )


def with_startup(usable: Sequence[EngineFiles], startup: str, device: str) -> Sequence[EngineFiles]:
    """Those that start as they are asked to; all where none can, or where a device but a CPU is named.

    An engine without the start-up would be several times slower to the first result than one that has it,
    however fast it is later; and measuring it to find out would take longer still.
    """
    if device not in ("auto", "cpu"):
        return usable
    return [e for e in usable if startup in ENGINES[e.engine].startups] or usable


def why_not(files: EngineFiles, device: str) -> str:
    """Why an engine cannot be used here; empty if it can."""
    kind = ENGINES[files.engine]
    if files.stored not in ("", files.precision) and device not in ("auto", "cpu"):
        return f"it computes {files.precision} from {files.stored} files on a CPU only"
    return kind.absence() or unable(files) or ("" if kind.runs_on(device) else f"not on {device}")


def none_runs_here(bundle: Bundle, encoder: str, fitting: Sequence[EngineFiles], device: str) -> EngineError:
    why = dict.fromkeys(f"{e.engine}: {why_not(e, device)}" for e in fitting)
    kinds = [ENGINES[e.engine] for e in fitting]
    remedy = next((k.how_to_install() for k in kinds if k.module_name() is None), "use device='auto'")
    return EngineError(
        f"{bundle.path.name} {encoder}", f"none of its engines runs here ({'; '.join(why)})", remedy
    )


def choose(
    bundle: Bundle,
    encoder: str,
    engine: str,
    precision: str,
    device: str,
    settings: EngineSettings | None = None,
) -> EngineFiles:
    """The one engine for an encoder: where several could be used, the one that measured fastest here.

    The first time a machine meets a bundle, this opens and runs each; then it is remembered
    (docs/engines.md).
    """
    settings = settings or EngineSettings(device)
    found = candidates(bundle, encoder, engine, precision, device, settings.startup)
    return choose_among(bundle, found, settings)[0]


def choose_among(
    bundle: Bundle, found: Sequence[EngineFiles], settings: EngineSettings
) -> tuple[EngineFiles, str]:
    """As ``choose``, among what ``candidates`` has found; and why."""
    return at_once(found, settings) or fastest(bundle, found, settings)


def at_once(found: Sequence[EngineFiles], settings: EngineSettings) -> tuple[EngineFiles, str] | None:
    """The choice that needs no measuring; None if there are several to measure."""
    if len(found) == 1:
        return found[0], "there is no other choice"
    one_precision = len({e.precision for e in found}) == 1
    if one_precision and settings.startup == FAST_START and settings.device in ("auto", "cpu"):
        # Measuring would open each of them, which takes longer than what a fast start saves.
        return found[0], "it comes first, and a fast start measures nothing"
    return None
