"""Blocks of inputs, numbered: what one worker takes at a time, and what becomes one file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from bindrt.commands.inputs import EmbedArguments, Input, list_inputs
from bindrt.sources.locations import is_uri
from bindrt.tables import Block


@dataclass(frozen=True)
class FilesBlock(Block):
    """Files and texts that follow each other; each has rows of its own."""

    inputs: tuple[Input, ...]

    @property
    def count(self) -> int:  # type: ignore[override]
        return len(self.inputs)

    @property
    def name(self) -> str:
        return repr([(entry.source, entry.modality, sorted(entry.options.items())) for entry in self.inputs])


@dataclass(frozen=True)
class NumberedBlock:
    """A block and its place among all of a job.

    Attributes:
        key: differs where a block of that number reads something else, or in another way.
    """

    number: int
    key: str
    block: Block


def numbered(blocks: Iterable[Block], how: Mapping[str, object]) -> Iterator[NumberedBlock]:
    """The blocks of a job, numbered.

    Args:
        how: whatever else decides what becomes of a block.
    """
    how_text = repr(sorted(how.items()))
    for number, block in enumerate(blocks):
        digest = hashlib.sha256(f"{how_text}\0{block.name}".encode("utf-8", "surrogateescape"))
        yield NumberedBlock(number, digest.hexdigest()[:12], block)


def file_blocks(arguments: EmbedArguments, rows: int) -> Iterator[Block]:
    """The inputs of a command line in blocks of ``rows``, with paths that hold on other machines too."""
    inputs = (_anywhere(entry) for entry in list_inputs(arguments) if entry is not None)
    while some := tuple(islice(inputs, rows)):
        yield FilesBlock(some)


def _anywhere(entry: Input) -> Input:
    if entry.modality == "text" or is_uri(entry.path):
        return entry
    # Not abspath: "./a.jpg" is the very name of a file in an archive.
    return replace(entry, path=os.path.join(os.getcwd(), os.path.expanduser(entry.path)))
