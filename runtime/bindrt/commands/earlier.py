"""The rows of an earlier run, which ``--resume`` continues: which inputs have one, and which are old."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from bindrt.commands.file_states import FileState, has_changed
from bindrt.commands.rows import UNKNOWN, seconds, whole_numbers
from bindrt.commands.segments import Segments
from bindrt.notes import WINDOWS
from bindrt.sources.archives import is_member
from bindrt.sources.locations import local_path

_COLUMNS = ["source", "modality", "error", "options", "size", "modified_ns", "start", "notes"]
_ENDED = f'"{WINDOWS}":'  # in the notes of the last row of a recording's windows


def row_key(is_text: bool, source: str, options: str | None, windows_of: str = "") -> str:
    """What identifies an input when a run is resumed. A text may look like a path.

    Args:
        source: as the output has it.
        options: those that a manifest gives for this row alone, and the kind of its window.
        windows_of: the modality of a row that is a window; a video's sound has windows of its own.
    """
    key = f"{'text' if is_text else 'file'}:{source}" + (f"\0{options}" if options else "")
    return f"{key}\0{windows_of}" if windows_of else key


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
        self._starts: npt.NDArray[np.float64] = np.empty(0, np.float64)
        self._ended: npt.NDArray[np.bool_] = np.empty(0, bool)
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

    def take_all(self, key: str) -> list[int]:
        """The places of all rows of an input, in order, which are then taken."""
        first = self._first.pop(key, None)
        return [] if first is None else [first, *self._more.pop(key, ())]

    def modality_of(self, key: Callable[[str], str], modalities: Iterable[str]) -> str | None:
        """The first of some modalities of which there are rows, by their keys."""
        return next((m for m in modalities if key(m) in self._first), None)

    def start(self, place: int) -> float:
        """When the row's window begins, in seconds."""
        return float(self._starts[place])

    def ended(self, place: int) -> bool:
        """Whether the row is the last of a recording's windows."""
        return bool(self._ended[place])

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
        starts: list[npt.NDArray[np.float64]] = []
        ended: list[npt.NDArray[np.bool_]] = []
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
            starts.append(seconds(table["start"]))
            ended.append(pc.fill_null(pc.match_substring(table["notes"], _ENDED), False).to_numpy())
            states.append(
                np.stack([whole_numbers(table["size"]), whole_numbers(table["modified_ns"])], axis=1)
            )
        if numbers:
            self._numbers = np.concatenate(numbers)
            self._failed = np.concatenate(failed)
            self._states = np.concatenate(states)
            self._starts, self._ended = np.concatenate(starts), np.concatenate(ended)

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
    return path is not None and "\\x" not in path and not os.path.lexists(path) and not is_member(path)


def _keys(table: pa.Table) -> Iterator[str]:
    columns = (table.column(name).to_pylist() for name in ("modality", "source", "options", "start"))
    for modality, source, options, start in zip(*columns, strict=True):
        yield row_key(modality == "text", source, options, "" if start is None else modality)
