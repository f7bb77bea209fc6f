"""The rows of an earlier run, which ``--resume`` continues: which inputs have one, and which are old."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from bindrt.commands.file_states import FileState, has_changed
from bindrt.commands.rows import UNKNOWN, whole_numbers
from bindrt.commands.segments import Segments
from bindrt.sources.locations import local_path

_COLUMNS = ["source", "modality", "error", "options", "size", "modified_ns"]


def row_key(is_text: bool, source: str, options: str | None) -> str:
    """What identifies an input when a run is resumed. A text may look like a path.

    Args:
        source: as the output has it.
        options: those that a manifest gives for this row alone.
    """
    return f"{'text' if is_text else 'file'}:{source}" + (f"\0{options}" if options else "")


class EarlierRows:
    """The rows of an earlier run. Each is taken once: an input that is given twice has two rows.

    10 million rows take some 2 GB: a key each, and three numbers.
    """

    def __init__(self, segments: Segments | None = None) -> None:
        self._segments = segments
        self._first: dict[str, int] = {}  # where the row of each key is in the arrays
        self._more: dict[str, deque[int]] = {}  # of the few keys that have several rows
        self._numbers: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._failed: npt.NDArray[np.bool_] = np.empty(0, bool)
        self._states: npt.NDArray[np.int64] = np.empty((0, 2), np.int64)
        self._hashes: pa.ChunkedArray | None = None
        if segments is not None:
            self._read(segments)

    def __len__(self) -> int:
        return len(self._numbers)

    def take(self, key: str) -> int | None:
        """The place of a row of an input, which is then taken; None: it has none that is left."""
        place = self._first.pop(key, None)
        if place is not None and (more := self._more.get(key)):
            self._first[key] = more.popleft()
        return place

    def number(self, place: int) -> int:
        """The number of the row in the segments."""
        return int(self._numbers[place])

    def failed(self, place: int) -> bool:
        """Whether the row is an error."""
        return bool(self._failed[place])

    def has_changed(self, place: int, path: str) -> bool:
        """Whether the file is another one than when the row was made; False where that was not recorded."""
        size, modified = (int(n) for n in self._states[place])
        return size != UNKNOWN and has_changed(path, FileState(size, modified), lambda: self._hash(place))

    def gone(self, folders: Sequence[str] | None) -> list[int]:
        """The rows that nobody has taken and whose file does not exist any more.

        Args:
            folders: look only below these; None: everywhere.
        """
        below = None if folders is None else tuple(os.path.join(folder, "") for folder in folders)
        found = []
        for key, place in self._first.items():
            kind, _, rest = key.partition(":")
            source = rest.partition("\0")[0]
            if kind == "file" and (below is None or source.startswith(below)) and _is_gone(source):
                found += [place, *self._more.get(key, ())]
        return [self.number(place) for place in found]

    def _read(self, segments: Segments) -> None:
        numbers: list[npt.NDArray[np.int64]] = []
        failed: list[npt.NDArray[np.bool_]] = []
        states: list[npt.NDArray[np.int64]] = []
        count = 0
        for first, table in segments.numbered(_COLUMNS):
            kept = np.ones(len(table), bool)
            kept[[n - first for n in segments.dropped if first <= n < first + len(table)]] = False
            table = table.filter(pa.array(kept))
            for i, key in enumerate(_keys(table)):
                if self._first.setdefault(key, count + i) != count + i:
                    self._more.setdefault(key, deque()).append(count + i)
            count += len(table)
            numbers.append(first + np.flatnonzero(kept))
            failed.append(pc.is_valid(table["error"]).to_numpy())
            states.append(
                np.stack([whole_numbers(table["size"]), whole_numbers(table["modified_ns"])], axis=1)
            )
        if numbers:
            self._numbers = np.concatenate(numbers)
            self._failed = np.concatenate(failed)
            self._states = np.concatenate(states)

    def _hash(self, place: int) -> str | None:
        """The hash of a file; read when it is first asked for, since most files keep their time."""
        assert self._segments is not None
        if self._hashes is None:
            parts = [chunk for _, t in self._segments.numbered(["sha256"]) for chunk in t["sha256"].chunks]
            self._hashes = pa.chunked_array(parts, pa.string())
        return self._hashes[self.number(place)].as_py()  # type: ignore[no-any-return]


def _is_gone(source: str) -> bool:
    """Whether a file does not exist any more. Nobody can say so of a URL or a name that was not UTF-8."""
    path = local_path(source)
    return path is not None and "\\x" not in path and not os.path.lexists(path)


def _keys(table: pa.Table) -> Iterator[str]:
    columns = (table.column(name).to_pylist() for name in ("modality", "source", "options"))
    for modality, source, options in zip(*columns, strict=True):
        yield row_key(modality == "text", source, options)
