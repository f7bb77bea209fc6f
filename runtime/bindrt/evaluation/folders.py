"""A local copy of a data set: its lists are read, and what is missing of it is told."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TextIO, TypeVar

from bindrt.errors import InputError, SourceError

T = TypeVar("T")
_SHOWN = 3
#: Sounds of lists that name no format.
SOUNDS = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".mp4", ".mkv", ".webm")
VIDEOS = (".mp4", ".mkv", ".webm", ".avi", ".mov")


class Described(Protocol):
    """What is known of a data set before its folder is read."""

    @property
    def title(self) -> str: ...

    @property
    def layout(self) -> str: ...

    @property
    def where(self) -> str: ...


@dataclass
class Folder:
    """A data set's folder.

    Attributes:
        path: the folder.
        dataset: what it should be.
        partial: items whose files are missing are left out, instead of being an error.
        left_out: how many were.
    """

    path: Path
    dataset: Described
    partial: bool = False
    left_out: int = field(default=0, init=False)

    def first(self, *names: str) -> Path:
        """The first of some files or folders that exists.

        Raises:
            SourceError: there is none; the error says where the data set is to be had.
        """
        for name in names:
            if (self.path / name).exists():
                return self.path / name
        raise self._missing(f"it has no {' or '.join(names)}")

    def rows(
        self, *names: str, columns: Sequence[str] = (), delimiter: str = ","
    ) -> Iterator[dict[str, str]]:
        """The rows of a table whose first line names its columns.

        Args:
            names: what the file may be called.
            columns: those that it must have.
        """
        path = self.first(*names)
        with _opened(path) as file:
            found = csv.DictReader(file)
            if absent := [name for name in columns if name not in (found.fieldnames or ())]:
                raise self.not_as_published(path, f"it has no column {', '.join(absent)}")
            for row in found:
                if any(row[name] is None for name in columns):
                    raise self.not_as_published(path, f"line {found.line_num} is cut off")
                yield row

    def lines(self, *names: str, width: int, delimiter: str = ",") -> Iterator[list[str]]:
        """The rows of a table without a heading; lines that begin with # are comments."""
        path = self.first(*names)
        with _opened(path) as file:
            kept = (line for line in file if line.strip() and not line.startswith("#"))
            for row in csv.reader(kept, delimiter=delimiter, skipinitialspace=True):
                if len(row) < width:
                    raise self.not_as_published(path, f"{','.join(row)[:60]!r} is cut off")
                yield row

    def json(self, *names: str) -> Any:
        """What a JSON file holds."""
        path = self.first(*names)
        try:
            return json.loads(path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise self.not_as_published(path, f"it is no JSON ({error})") from None

    def there(self, wanted: Iterable[tuple[T, Path]]) -> list[tuple[T, Path]]:
        """Those of the rows whose file exists: all of them, unless the copy may be partial.

        Args:
            wanted: rows, each with its file. A name that ends in ``.*`` is that of no file.

        Raises:
            SourceError: files are missing, or all of them are.
        """
        listed = list(wanted)
        found = [(row, path) for row, path in listed if path.is_file()]
        lost = [path for _, path in listed if not path.is_file()]
        if lost and not (self.partial and found):
            shown = ", ".join(self._short(each) for each in lost[:_SHOWN])
            more = ", …" if len(lost) > _SHOWN else ""
            remedy = "" if not found else "or --partial evaluates what is there"
            raise self._missing(f"{len(lost)} of {len(listed)} files are missing: {shown}{more}", remedy)
        self.left_out += len(lost)
        return found

    def by_stem(self, folder: Path, suffixes: Sequence[str]) -> dict[str, Path]:
        """The files below a folder by their names without suffix."""
        return {path.stem: path for path in sorted(folder.rglob("*")) if path.suffix.lower() in suffixes}

    def not_as_published(self, path: Path, problem: str) -> InputError:
        """The error for a list that is not as it is published."""
        return SourceError(
            str(path), problem, f"{self.dataset.title} has {self.dataset.layout}: {self.dataset.where}"
        )

    def _missing(self, problem: str, more: str = "") -> SourceError:
        remedy = f"{self.dataset.title} has {self.dataset.layout}; it is to be had at {self.dataset.where}"
        return SourceError(str(self.path), problem, f"{remedy}; {more}" if more else remedy)

    def _short(self, path: Path) -> str:
        return str(path.relative_to(self.path) if path.is_relative_to(self.path) else path)


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            yield file
    except OSError as error:
        raise SourceError(str(path), f"it cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise SourceError(str(path), f"it is no table of texts ({error})", "copy it again") from None
