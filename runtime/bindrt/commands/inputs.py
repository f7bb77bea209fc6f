"""What ``bind-embed`` is asked to embed: files, folders, lists, manifests, texts."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bindrt.commands.earlier import row_key
from bindrt.commands.file_states import state_of
from bindrt.commands.item_options import require_use
from bindrt.commands.lines import read_lines
from bindrt.commands.manifests import Manifest
from bindrt.commands.passed_over import PassedOver, suspected
from bindrt.commands.rows import options_text
from bindrt.commands.rules import Rule, Selection, rule_for
from bindrt.errors import InputError, OptionError, SourceError
from bindrt.item_options import as_item, check_options
from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.notes import FEWER_VIEWS
from bindrt.preprocess.detection import detect_opened
from bindrt.sources import Opened, open_source
from bindrt.sources.listing import files_of, is_place
from bindrt.sources.suffixes import modality_by_suffix
from bindrt.text import clean

STDIN = "-"
#: Modalities that a file's content tells, without an option.
BY_CONTENT = ("image", "video", "audio", "imu")


@dataclass(frozen=True)
class Input:
    """One input.

    Attributes:
        source: the path or text, as it is written to the output.
        modality: its modality, if that is given for it alone.
        listed: whether it was found in a folder. Such a file is passed over if it is not media.
        name: what rules and patterns look at: the path, in a folder the path below it.
        path: the file to open.
        options: those that a manifest gives for it.
    """

    source: str
    modality: str | None = None
    listed: bool = False
    name: str = ""
    path: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def options_text(self) -> str | None:
        """Its own options as JSON, as the output has them."""
        return options_text(self.options)

    @property
    def key(self) -> str:
        """What identifies the input when a run is resumed."""
        return row_key(self.modality == "text", clean(self.source), self.options_text)

    def in_windows(self, spec: Mapping[str, str]) -> Input:
        """The same input, to be embedded window by window; rows of other windows are not its rows."""
        return replace(self, options={**self.options, **spec})

    def window_key(self, modality: str) -> str:
        """What identifies its windows of a modality when a run is resumed."""
        return row_key(False, clean(self.source), self.options_text, modality)


@dataclass(frozen=True)
class EmbedArguments:
    """What the command line asks to embed.

    Attributes:
        paths: files, folders, or ``-``: a list of files on standard input.
        texts: texts to embed.
        modality: the files' modality; None: found from their content.
        options: how items are read, by field of their wrapper.
        rules: modality and options of files by their name; the first that fits.
        selection: which files are embedded.
        manifest: a file that lists inputs.
        own: what this run writes; a folder's files do not include it.
        detect: tells the modality of a file; ``isolation`` does it in another process.
        strict: a file that would be passed over is an error, and so is one of which a part is lost.
        window, hop: seconds of a recording's windows, and from one to the next; None: it is embedded whole.
        limits: what protects memory from files.
        inputs: inputs that were chosen before, which come first and are all wanted.
    """

    paths: Sequence[str] = ()
    texts: Sequence[str] = ()
    modality: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    rules: Sequence[Rule] = ()
    selection: Selection = field(default_factory=Selection)
    manifest: Manifest | None = None
    own: Sequence[Path] = ()
    detect: Callable[[Opened], str | None] = detect_opened
    strict: bool = False
    window: float | None = None
    hop: float | None = None
    limits: Limits = DEFAULT_LIMITS
    inputs: Sequence[Input] = ()

    @property
    def spec(self) -> dict[str, str]:
        """What a row says of its window's kind."""
        return (
            {}
            if self.window is None or self.hop is None
            else {"hop": f"{self.hop:g}", "window": f"{self.window:g}"}
        )

    def check(self, tables: bool = False) -> None:
        """Raises OptionError for what means nothing.

        Args:
            tables: the paths are tables, whose columns say what is in them.
        """
        if not self.paths and not self.texts and self.manifest is None:
            raise OptionError("", "nothing to embed", "give files, folders, -, --manifest or --text")
        if self.modality == "text" and any(p != STDIN for p in self.paths):
            raise OptionError(
                "--modality text", "files are not read as texts", 'give --text "…", or lines on -'
            )
        if self.manifest is None and not tables:
            found = BY_CONTENT if self.modality is None else (self.modality,)
            require_use(self.options, {*found, *(rule.modality for rule in self.rules)})

    def folders(self) -> list[str] | None:
        """The folders that are embedded; None if there are other inputs too."""
        if self.manifest is not None or not all(os.path.isdir(path) for path in self.paths):
            return None
        return list(self.paths)


def list_inputs(arguments: EmbedArguments) -> Iterator[Input | None]:
    """Every input that is wanted, in order: paths as given, folders sorted, a manifest, then texts.

    None stands for a pause: the list on standard input has no new line yet.
    """
    yield from arguments.inputs
    selection = arguments.selection
    for entry in _all_inputs(arguments):
        if entry is None:
            yield None
        elif selection.shard.has(entry.name) and (entry.modality == "text" or selection.wants(entry.name)):
            yield entry


def _all_inputs(arguments: EmbedArguments) -> Iterator[Input | None]:
    modality = arguments.modality
    for path in arguments.paths:
        if path == STDIN:
            if sys.stdin is None:
                raise SourceError("standard input", "it is closed", "give a list of paths on it")
            for line in read_lines(sys.stdin.fileno()):
                if line is None:
                    yield None
                elif name := line.rstrip("\r\n"):
                    yield Input(name, "text" if modality == "text" else None, name=name, path=name)
        elif is_place(path):
            own = [below for place in arguments.own if (below := below_folder(place, path))]
            for name, inside in files_of(path, links=True):
                if not any(inside == place or inside.startswith(place + os.sep) for place in own):
                    yield Input(name, None, True, inside, name)
        else:
            yield Input(path, None, name=path, path=path)
    if arguments.manifest is not None:
        for source, of_row, options in arguments.manifest.rows():
            yield Input(source, of_row, False, source, arguments.manifest.file(source), options)
    for text in arguments.texts:
        yield Input(text, "text", name=text)


def below_folder(place: Path, folder: str) -> str | None:
    """A place as it is named from a folder that it is in; None if it is elsewhere."""
    found = os.path.relpath(os.path.realpath(place), os.path.realpath(folder))
    return None if found.split(os.sep)[0] == os.pardir else found


def count_inputs(arguments: EmbedArguments) -> int | None:
    """The number of inputs; None if they come on standard input."""
    if STDIN in arguments.paths:
        return None
    return sum(1 for _ in list_inputs(arguments))


def resolve(entry: Input, arguments: EmbedArguments) -> tuple[str, object] | PassedOver:
    """The modality and item of an input, or why it is passed over.

    Raises:
        InputError: the file is missing, its modality is not known, or an option cannot have its value.
    """
    if entry.modality == "text":
        return "text", entry.source
    if entry.listed and os.path.isdir(entry.path):
        if os.path.islink(entry.path) and not arguments.strict:
            return PassedOver.link(entry.source)
        raise SourceError(entry.source, "the folder cannot be read", "check its permissions, or name it")
    rule = rule_for(arguments.rules, entry.name)
    modality = entry.modality or (rule.modality if rule else arguments.modality)
    if modality is None:
        found = _by_content(entry, arguments)
        if isinstance(found, PassedOver):
            if entry.listed and not arguments.strict:
                return found
            raise found.error()
        modality = found
    check_options(entry.options, None, entry.source)
    if FEWER_VIEWS in entry.options:
        raise InputError(entry.source, "one output has one number of views", f"give --{FEWER_VIEWS} for all")
    options = {**arguments.options, **(rule.options if rule else {}), **entry.options}
    if arguments.strict:
        options.setdefault("strict", "true")
    return modality, as_item(modality, entry.path, options)


def _by_content(entry: Input, arguments: EmbedArguments) -> str | PassedOver:
    """The modality of a file: what it holds, else what it was meant to hold."""
    try:
        opened = open_source(entry.path)
    except SourceError:
        if entry.listed and _is_empty_other(entry.path):
            return PassedOver.of(entry.source, b"")
        raise
    meant = suspected(entry.path, opened)
    if entry.listed and meant is None and PassedOver.of(entry.source, opened.head).is_plain:
        return PassedOver.of(entry.source, opened.head)  # a text may begin as a picture does: "BMW"
    return arguments.detect(opened) or meant or PassedOver.of(entry.source, opened.head)


def _is_empty_other(path: str) -> bool:
    """Whether a file is empty, and was not meant to be media."""
    state = state_of(path)
    return state is not None and state.size == 0 and modality_by_suffix(path, b"") is None
