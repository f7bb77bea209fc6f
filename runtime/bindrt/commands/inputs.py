"""What ``bind-embed`` is asked to embed: files, folders, a list on standard input, texts."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bindrt.commands.segments import clean
from bindrt.errors import InputError, OptionError, SourceError
from bindrt.modalities.depth import Depth
from bindrt.preprocess import detect
from bindrt.sources.folders import files_below

STDIN = "-"
SILENCE = 0.05  # seconds without a line, after which finished rows are written


@dataclass(frozen=True)
class Input:
    """One input.

    Attributes:
        source: the path or text, as it is written to the output.
        modality: the modality that was asked for; None: it is found from the file's content.
        listed: whether it was found in a folder. Such a file is passed over if it is not media.
    """

    source: str
    modality: str | None
    listed: bool = False

    def key(self) -> tuple[bool, str]:
        """What identifies the input when a run is resumed. A text may look like a path."""
        return self.modality == "text", clean(self.source)


@dataclass(frozen=True)
class EmbedArguments:
    """What the command line asks to embed.

    Attributes:
        paths: files, folders, or ``-``: a list of files on standard input.
        texts: texts to embed.
        modality: the files' modality; None: found from their content.
        unit: the unit of depth files; None: as :class:`bindrt.Depth` has it.
    """

    paths: Sequence[str]
    texts: Sequence[str]
    modality: str | None
    unit: str | None

    def check(self) -> None:
        if not self.paths and not self.texts:
            raise OptionError("", "nothing to embed", "give files, folders, - or --text")
        if self.modality == "text" and any(p != STDIN for p in self.paths):
            raise OptionError(
                "--modality text", "files are not read as texts", 'give --text "…", or lines on -'
            )
        if self.unit is not None and self.modality != "depth":
            raise OptionError("--unit", "only depth files have a unit", "add --modality depth")


def list_inputs(arguments: EmbedArguments) -> Iterator[Input | None]:
    """Every input in order: paths as given, folders sorted, then texts.

    None stands for a pause: the list on standard input has no new line yet.
    """
    for path in arguments.paths:
        if path == STDIN:
            if sys.stdin is None:
                raise SourceError("standard input", "it is closed", "give a list of paths on it")
            for line in read_lines(sys.stdin.fileno()):
                if line is None:
                    yield None
                elif name := line.rstrip("\r\n"):
                    yield Input(name, arguments.modality)
        elif os.path.isdir(path):
            for name in files_below(path):
                yield Input(name, arguments.modality, listed=True)
        else:
            yield Input(path, arguments.modality)
    for text in arguments.texts:
        yield Input(text, "text")


def read_lines(descriptor: int) -> Iterator[str | None]:
    """Lines as they arrive; None now and then while there is none, so that other work can go on."""
    rest = b""
    while True:
        if not select.select([descriptor], [], [], SILENCE)[0]:
            yield None
            continue
        block = os.read(descriptor, 1 << 16)
        *lines, rest = (rest + block).split(b"\n")
        if not block:
            lines = [rest]
        for line in lines:
            yield line.decode("utf-8", "surrogateescape")  # file names are bytes
        if not block:
            return


def count_inputs(arguments: EmbedArguments) -> int | None:
    """The number of inputs; None if they come on standard input."""
    if STDIN in arguments.paths:
        return None
    return sum(1 for _ in list_inputs(arguments))


def resolve(entry: Input, arguments: EmbedArguments) -> tuple[str, object] | None:
    """The modality and item of an input; None for a folder's file that is not media.

    Raises:
        InputError: the file is missing, or its modality is not known.
    """
    if entry.modality == "text":
        return "text", entry.source
    if entry.listed and os.path.isdir(entry.source):
        raise SourceError(entry.source, "the folder cannot be read", "check its permissions")
    modality = entry.modality or detect(entry.source)
    if modality is None:
        if entry.listed:
            return None
        raise InputError(
            entry.source,
            "not an image, video or sound file, nor a .npz with 'depth', 'thermal' or 'samples'",
            "other depth, thermal and imu files need --modality",
        )
    if modality == "depth" and arguments.unit is not None:
        return modality, Depth(entry.source, unit=arguments.unit)  # type: ignore[arg-type]
    return modality, entry.source
