"""What a caller means by a precision: one, or the fastest of several."""

from __future__ import annotations

from bindrt.bundle.manifest import Manifest
from bindrt.engines import ENGINES
from bindrt.errors import OptionError
from bindrt.precisions import CHOICES, FAST, FASTEST, PRECISION_CLASS, PRECISIONS, of_class
from bindrt.selection.derived import unable, usable_files, usable_precisions


def precisions_meant(manifest: Manifest, asked: str | None) -> tuple[str, ...]:
    """The precisions that may be chosen among.

    Args:
        asked: None: the bundle's default; ``fast``: those of the default's space; ``fastest``: all.
    """
    if asked == FASTEST:
        return PRECISIONS
    if asked == FAST:
        return of_class(PRECISION_CLASS[manifest.default_precision])
    return (manifest.default_precision if asked is None else asked,)


def require_precision(manifest: Manifest, asked: str | None) -> None:
    """Refuse a precision that the bundle has no files of, and that nothing here makes of its files.

    Raises:
        OptionError: naming what there is.
    """
    if asked is None:
        return
    if asked not in CHOICES:
        raise OptionError(
            f"precision={asked!r}"[:80], "not in this bundle", f"unknown; one of {', '.join(CHOICES)}"
        )
    here = usable_precisions(manifest)
    if asked in PRECISIONS and asked not in here:
        why = {f"{e.engine}: {unable(e)}" for e in usable_files(manifest) if e.precision == asked}
        can = [
            name for name, kind in ENGINES.items() if any(asked in made for made in kind.computes.values())
        ]
        problem = "not in this bundle"
        if why:
            problem += f", and nothing here computes it from other files ({'; '.join(sorted(why))})"
        elif can:
            problem += f", which has no files that {' or '.join(can)} could compute it from"
        raise OptionError(f"precision={asked!r}", problem, f"it has {', '.join(sorted(here))}")
