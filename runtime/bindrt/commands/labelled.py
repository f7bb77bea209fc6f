"""Examples with labels: a folder with a folder for each label, or a table."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bindrt.errors import InputError, SourceError
from bindrt.sources.folders import files_below

_FORM = "a folder with a folder for each label, or a .csv, .jsonl or .parquet with a path and a label a row"


class Example(NamedTuple):
    """A file, and its label."""

    source: str
    label: str


def read_examples(path: Path, path_column: str = "path", label_column: str = "label") -> list[Example]:
    """The examples of a folder or a table, in order. Paths in a table are relative to it.

    Raises:
        SourceError: it cannot be read.
        InputError: it has another form, or no examples.
    """
    if path.is_dir():
        found = list(_in_folders(path))
    elif not path.is_file():
        raise SourceError(str(path), "it does not exist", f"give {_FORM}")
    else:
        found = [_example(path, row, path_column, label_column) for row in _rows(path)]
    if not found:
        raise InputError(str(path), "it has no examples", f"give {_FORM}")
    return found


def _in_folders(path: Path) -> Iterator[Example]:
    for folder in sorted(each for each in path.iterdir() if each.is_dir() and not each.name.startswith(".")):
        yield from (Example(file, folder.name) for file in files_below(str(folder)))


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        if path.suffix == ".csv":
            with open(path, encoding="utf-8-sig", newline="") as file:
                yield from csv.DictReader(file)
        elif path.suffix == ".jsonl":
            with open(path, encoding="utf-8") as file:
                yield from (json.loads(line) for line in file if line.strip())
        elif path.suffix == ".parquet":
            import pyarrow.parquet as pq

            yield from pq.read_table(path).to_pylist()
        else:
            raise InputError(str(path), "it is no table that is known", f"give {_FORM}")
    except InputError:
        raise
    except (OSError, ValueError, csv.Error) as error:  # pyarrow's errors are ValueErrors
        raise SourceError(str(path), f"it cannot be read ({error})") from None


def _example(path: Path, row: Any, path_column: str, label_column: str) -> Example:
    source, label = (row.get(path_column), row.get(label_column)) if isinstance(row, dict) else (None, None)
    if not source or not label or not isinstance(source, str) or not isinstance(label, str):
        problem = f"a row has no {path_column} or {label_column}"
        raise InputError(str(path), problem, "name them: --path-column, --label-column")
    return Example(source if "://" in source else str(path.parent / source), label)
