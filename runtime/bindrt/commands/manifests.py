"""A list of inputs in a file: CSV, JSON lines or Parquet, a row each."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bindrt.errors import OptionError, SourceError
from bindrt.item_options import item_options
from bindrt.modalities import MODALITIES
from bindrt.sources.locations import is_uri

#: What the column of files may be called; the first of them that is there.
SOURCES = ("source", "path", "file", "filename")
_REMEDY = "a manifest has a column 'source', and may have 'modality' and options such as 'unit' or 'start'"
_ROWS = 4096


class Manifest:
    """The rows of a manifest. Files are relative to the folder of the manifest.

    The column ``source`` (or ``path``, ``file``) names files, or texts where ``modality`` is ``text``. An
    empty ``modality`` is found from the content. A column that is called like an option of items is one:
    ``unit``, ``start``. Other columns are left alone.
    """

    def __init__(self, path: Path) -> None:
        """
        Raises:
            OptionError: its suffix is not .csv, .jsonl or .parquet.
        """
        self.path = path
        self._read = {".csv": self._csv, ".jsonl": self._json_lines, ".parquet": self._parquet}.get(
            path.suffix.lower()
        )
        if self._read is None:
            raise OptionError(
                f"--manifest {path}", f"unknown suffix {path.suffix!r}", "one of .csv, .jsonl, .parquet"
            )

    def rows(self) -> Iterator[tuple[str, str | None, dict[str, str]]]:
        """Source, modality if one is given, and options of each row.

        Raises:
            SourceError: the file cannot be read, has no such column, or a row is damaged; the error names it.
        """
        assert self._read is not None
        try:
            for number, row in enumerate(self._read(), 1):
                yield self._entry(row, number)
        except (OSError, ValueError, RecursionError, csv.Error, pa.ArrowException) as error:
            if isinstance(error, SourceError):
                raise
            raise SourceError(str(self.path), f"it cannot be read ({error})", _REMEDY) from None

    def file(self, source: str) -> str:
        """What to open for a source."""
        if is_uri(source) or source.startswith("~"):
            return source
        return os.path.join(self.path.parent, source)

    def _entry(self, row: Mapping[str, Any], number: int) -> tuple[str, str | None, dict[str, str]]:
        where = f"{self.path} row {number}"
        source = next((row[name] for name in SOURCES if row.get(name) not in (None, "")), None)
        if not isinstance(source, str):
            raise SourceError(where, f"it names no file (columns: {', '.join(row)[:200]})", _REMEDY)
        modality = row.get("modality") or None
        if modality is not None and modality not in MODALITIES:
            raise SourceError(where, f"{modality!r} is not a modality", f"one of {', '.join(MODALITIES)}")
        options = {n: _text(row[n]) for n in item_options() if not _is_empty(row.get(n))}
        return source, modality, options

    def _csv(self) -> Iterator[Mapping[str, Any]]:
        with open(self.path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            yield from csv.DictReader(file, restkey="", restval="")

    def _json_lines(self) -> Iterator[Mapping[str, Any]]:
        with open(self.path, encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise SourceError(str(self.path), f"line {number} is not a JSON object", _REMEDY)
                yield row

    def _parquet(self) -> Iterator[Mapping[str, Any]]:
        with pq.ParquetFile(self.path) as file:
            known = [n for n in file.schema_arrow.names if n in (*SOURCES, "modality", *item_options())]
            for batch in file.iter_batches(_ROWS, columns=known):
                yield from batch.to_pylist()


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or value != value  # NaN, as pandas writes a missing number


def _text(value: Any) -> str:
    """A value of a row as the text that stands for it on the command line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value))
    return str(value)
