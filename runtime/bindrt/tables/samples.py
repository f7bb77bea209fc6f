"""WebDataset shards: tar files whose members ``KEY.EXTENSION`` are the columns of the sample ``KEY``."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from bindrt.errors import LimitError
from bindrt.limits import DEFAULT_LIMITS
from bindrt.sources.remote import is_remote, open_remote
from bindrt.sources.tarheaders import Header
from bindrt.tables.blocks import RowsBlock
from bindrt.tables.reading import reading

#: The column of a sample's key, as the package webdataset calls it.
KEY = "__key__"
#: Extensions of members that are texts.
_TEXTS = ("txt", "json", "cls", "caption", "text", "url")
_SUFFIXES = (".tar", ".tar.gz", ".tgz")
#: The most bytes of a member, as its header says: a small compressed shard may say any number.
_MOST_BYTES = DEFAULT_LIMITS.max_bytes


def is_samples(place: str) -> bool:
    return place.lower().endswith(_SUFFIXES)


@dataclass(frozen=True)
class SamplesBlock(RowsBlock):
    """The samples of one shard, read from its beginning to its end, never unpacked."""

    place: str
    count: int = 1
    row: int = 0
    is_sparse = True

    @property
    def name(self) -> str:
        return f"tar {self.place}"

    @property
    def root(self) -> str:  # type: ignore[override]
        return ""

    def tables(self, rows: int) -> Iterator[pa.Table]:
        some: list[dict[str, Any]] = []
        names: list[str] = []
        for sample in _samples(self.place):
            some.append(sample)
            names += [name for name in sample if name not in names]
            if len(some) == rows:
                yield _table(some, names)
                some = []
        if some:
            yield _table(some, names)


def _table(samples: list[dict[str, Any]], names: list[str]) -> pa.Table:
    columns = {n: pa.array([s.get(n) for s in samples], _type(n)) for n in names}
    return pa.table(columns)


def _type(name: str) -> pa.DataType:
    return pa.string() if name == KEY or _is_text(name) else pa.large_binary()


def _is_text(name: str) -> bool:
    return name.rpartition(".")[2] in _TEXTS


def _samples(place: str) -> Iterator[dict[str, Any]]:
    sample: dict[str, Any] = {}
    for path, data in _members(place):
        folder, name = os.path.split(path)
        stem, _, extension = name.partition(".")
        key = os.path.join(folder, stem)
        if not extension or not stem:
            continue
        if sample.get(KEY) != key:
            if sample:
                yield sample
            sample = {KEY: key}
        name = extension.lower()
        sample[name] = data.decode("utf-8", "replace") if _is_text(name) else data
    if sample:
        yield sample


def _members(place: str) -> Iterator[tuple[str, bytes]]:
    with (
        reading(place, "shard"),
        open_remote(place) if is_remote(place) else open(place, "rb") as file,
        tarfile.open(fileobj=file, mode="r|*", tarinfo=Header) as archive,
    ):
        for member in archive:
            if member.isfile():
                if member.size > _MOST_BYTES:
                    name = os.path.join(place, member.name)
                    raise LimitError(
                        name, f"it has more than {_MOST_BYTES} bytes", "leave it out of the shard"
                    )
                data = archive.extractfile(member)
                assert data is not None
                yield member.name, data.read()
