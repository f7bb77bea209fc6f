"""The store of artifacts: each is found in an earlier bundle or a broken-off export, or made and recorded.

An artifact is some files of a bundle and the record of how they were made. Its key is a hash of all that its
bytes depend on. The record is written last, so files with a record whose hashes fit are whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

from bindrt.bundle import sha256_of
from bindrt_export.progress import Progress

#: Where the records are, and what the manifest does not list.
RECORDS = "parts"
FileEntry = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """What a recipe has made.

    Attributes:
        entry: its entry under ``engines`` in the manifest; ``entry["files"]`` lists its files, the graph or
            plan first.
        measured: what was measured making it.
        unlisted: further files that travel in the bundle but are not in the manifest.
    """

    entry: dict[str, Any]
    measured: dict[str, Any]
    unlisted: list[FileEntry] = field(default_factory=list)


@dataclass(frozen=True)
class Artifact(Made):
    """A finished artifact of a bundle, as its record says.

    Attributes:
        key: hash of all that its bytes depend on.
        seconds: how long it took to make.
    """

    key: str = field(kw_only=True)
    seconds: float = field(kw_only=True)

    @property
    def encoder(self) -> str:
        """The name of the encoder that it serves."""
        return str(self.entry["encoder"])

    @property
    def files(self) -> list[FileEntry]:
        """The entries of the files that the manifest lists."""
        listed: list[FileEntry] = self.entry["files"]
        return listed

    def size(self) -> int:
        """Bytes of the files that the manifest lists."""
        return sum(int(f["bytes"]) for f in self.files)

    def is_whole(self, root: Path, verify: bool) -> bool:
        """Whether its files are there with their sizes and, with ``verify``, their hashes."""
        entries = [*self.files, *self.unlisted]
        if not all((root / f["path"]).stat().st_size == f["bytes"] for f in entries):
            return False
        return not verify or all(sha256_of(root / f["path"]) == f["sha256"] for f in entries)


class Recipe(Protocol):
    """How one artifact is made.

    Attributes:
        name: for people, for example ``imu int8 onnxruntime``.
        record: name of its record, without ``.json``.
        key: hash of all that the artifact's bytes depend on.
        measures: what must be among the things measured.
    """

    @property
    def name(self) -> str: ...

    @property
    def record(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def measures(self) -> frozenset[str]: ...

    def make(self, root: Path, progress: Progress) -> Made:
        """Write the files into the half-made bundle ``root`` and compare what they compute with torch.

        Raises:
            ExportError: an engine refuses the graph, or computes something else than torch.
        """
        ...

    def note(self, measured: Mapping[str, Any]) -> str:
        """What was measured, in a few words."""
        ...


class ArtifactStore:
    """The artifacts of one export.

    Attributes:
        reused: records of the artifacts that were there already.
    """

    def __init__(self, staging: Path, finished: Path, progress: Progress) -> None:
        """``staging`` is the half-made bundle, ``finished`` the bundle that it will replace, if any."""
        self._staging = staging
        self._finished = finished
        self._progress = progress
        self._kept: set[str] = set()
        self.reused: set[str] = set()

    def has(self, recipe: Recipe) -> bool:
        """Whether the artifact seems to be there, by its record and the sizes of its files."""
        return any(find(root, recipe, verify=False) for root in (self._staging, self._finished))

    def obtain(self, recipe: Recipe) -> Artifact:
        """The artifact, from the half-made bundle, from the finished one, or made.

        Raises:
            ExportError, OptionError, CheckpointError: it cannot be made as asked.
        """
        artifact = self._find(recipe)
        if artifact is not None:
            self.reused.add(recipe.record)
            self._progress.done(recipe.name, 0.0, artifact.size(), "already there")
        else:
            artifact = self._make(recipe)
        self._kept |= {f["path"] for f in artifact.unlisted} | {record_path(recipe)}
        return artifact

    def _find(self, recipe: Recipe) -> Artifact | None:
        # Hashed, since exporting again is the remedy for a damaged bundle that errors name.
        artifact = find(self._staging, recipe, verify=True)
        if artifact is None:
            artifact = find(self._finished, recipe, verify=True)
            if artifact is not None:
                self._take_over(recipe, artifact)
        return artifact

    def _take_over(self, recipe: Recipe, artifact: Artifact) -> None:
        for entry in [*artifact.files, *artifact.unlisted]:
            link_or_copy(self._finished / entry["path"], self._staging / entry["path"])
        self._record(recipe, artifact)

    def _make(self, recipe: Recipe) -> Artifact:
        start = perf_counter()
        made = recipe.make(self._staging, self._progress)
        seconds = perf_counter() - start
        artifact = Artifact(
            made.entry, made.measured, made.unlisted, key=recipe.key, seconds=round(seconds, 3)
        )
        self._record(recipe, artifact)
        self._progress.done(recipe.name, seconds, artifact.size(), recipe.note(made.measured))
        return artifact

    def _record(self, recipe: Recipe, artifact: Artifact) -> None:
        write_json(self._staging / record_path(recipe), asdict(artifact))

    def remove_all_but(self, listed: Iterable[str], records: bool = True) -> None:
        """Remove what an earlier, different export left: all but the ``listed`` paths and the ``records``."""
        keep = set(listed) | (self._kept if records else set())
        for path in sorted(self._staging.rglob("*"), reverse=True):
            if path.is_dir():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path.relative_to(self._staging).as_posix() not in keep:
                path.unlink()


def record_path(recipe: Recipe) -> str:
    return f"{RECORDS}/{recipe.record}.json"


def find(root: Path, recipe: Recipe, verify: bool) -> Artifact | None:
    """The whole artifact of a recipe in a bundle, or None."""
    try:
        artifact = Artifact(**json.loads((root / record_path(recipe)).read_text("utf-8")))
        fits = artifact.key == recipe.key and artifact.measured.keys() >= recipe.measures
        return artifact if fits and artifact.is_whole(root, verify) else None
    except Exception:  # a damaged record fails in a dozen ways, and is made again
        return None


def link_or_copy(source: Path, target: Path) -> None:
    """Give ``target`` the content of ``source``, without a copy where the disk can."""
    if target.exists() and target.samefile(source):
        return
    fresh(target)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def fresh(path: Path) -> Path:
    """``path`` with no file there. Files must be written to such a path only.

    What stood there may be a hard link to a file of a finished bundle, which writing would change.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    return path


def write_json(path: Path, data: object) -> None:
    """Written beside and moved into place, so that it is never there in part."""
    beside = fresh(path.with_name(path.name + ".new"))
    with open(beside, "w", encoding="utf-8") as file:
        json.dump(data, file, indent=1, sort_keys=True, ensure_ascii=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


def key_of(made_from: Mapping[str, Any]) -> str:
    """The key of an artifact that is made from this."""
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()


def file_entry(root: Path, path: Path, sha256: str | None = None) -> FileEntry:
    """A file of the bundle ``root`` as the manifest and the records list it."""
    return {
        "path": path.relative_to(root).as_posix(),
        "sha256": sha256 or sha256_of(path),
        "bytes": path.stat().st_size,
    }
