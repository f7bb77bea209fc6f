"""The engine files that a bundle can be used with: those it lists, and what engines make of these at load.

An engine may compute in another precision than its files are of, and may read the files of another engine
(``EngineKind.computes`` and ``reads``). So one set of weights on disk serves several precisions. All that
asks what a bundle can do asks here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bindrt.bundle.manifest import EngineFiles, Manifest
from bindrt.engines import ENGINES, EngineKind
from bindrt.precisions import PRECISIONS


def usable_files(manifest: Manifest, encoder: str | None = None) -> tuple[EngineFiles, ...]:
    """What is listed, then what is derived from it; of one encoder, or of all."""
    listed = [e for e in manifest.engines if encoder in (None, e.encoder)]
    found = {(e.encoder, e.engine, e.precision): e for e in listed}
    derived = []
    for files in sorted(derived_from(listed), key=_nearness):
        key = (files.encoder, files.engine, files.precision)
        if key not in found:
            found[key] = files
            derived.append(files)
    return (*listed, *derived)


def usable_precisions(manifest: Manifest) -> list[str]:
    """The precisions that files are of, and those that an engine here can make of them."""
    held = usable_files(manifest)
    found = {e.precision for e in held if not e.stored or not unable(e)}
    return [p for p in PRECISIONS if p in found]


def unable(files: EngineFiles) -> str:
    """Why derived files cannot be computed here; empty if they can, and for files that are listed."""
    kind = ENGINES[files.engine]
    if not files.stored:
        return ""
    return kind.absence() or (kind.lacks(files.precision) if files.precision != files.stored else "")


def derived_from(listed: list[EngineFiles]) -> Iterator[EngineFiles]:
    for files in listed:
        if files.target != "cpu" or ENGINES[files.engine].reads_plans:
            continue
        for kind in ENGINES.values():
            if files.engine in (kind.reads or (kind.name,)):
                for precision in _computed(kind, files.precision):
                    yield replace(files, engine=kind.name, precision=precision, stored=files.precision)


def _computed(kind: EngineKind, stored: str) -> tuple[str, ...]:
    own = (stored,) if kind.reads and stored in kind.precisions else ()
    return (*own, *kind.computes.get(stored, ()))


def _nearness(files: EngineFiles) -> tuple[bool, int]:
    """First what its files are of, then what is made from the most precise."""
    return files.stored != files.precision, PRECISIONS.index(files.stored)
