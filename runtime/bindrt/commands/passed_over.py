"""Files of folders that are not media: which they are, and what would read them."""

from __future__ import annotations

from dataclasses import dataclass

from bindrt.errors import InputError, SourceError
from bindrt.sources import Opened
from bindrt.sources.formats import PICTURE, SOUND, TRACKS, sniff
from bindrt.sources.suffixes import TABLES, is_text, modality_by_suffix, suffix_of
from bindrt.tables import is_table

_LINK = "link to a folder"
_HOLDS = {PICTURE: "image", SOUND: "audio", TRACKS: "video"}


def suspected(path: str, opened: Opened) -> str | None:
    """The modality that a file was meant to be by its suffix, else by its beginning; None: it is not media.

    Raises:
        SourceError: it begins as media of a kind that nobody reads.
    """
    by_suffix = modality_by_suffix(path, opened.head)
    if by_suffix is not None:
        return by_suffix
    if is_text(opened.head):
        return None
    found = sniff(opened)
    if found.family == "unknown" and found.title:
        raise SourceError(opened.name, f"a {found.title} file, which is not read", "convert it")
    return _HOLDS.get(found.holds)


@dataclass(frozen=True)
class PassedOver:
    """A file that is not embedded.

    Attributes:
        source: the file.
        suffix: its suffix in lower case with its dot; empty if it has none; ``link to a folder``.
        is_plain: whether it is certainly no media: a text, or empty.
    """

    source: str
    suffix: str
    is_plain: bool

    @classmethod
    def of(cls, source: str, head: bytes) -> PassedOver:
        """A file with these first bytes."""
        suffix = suffix_of(source)
        return cls(source, suffix, suffix[1:] not in TABLES and is_text(head))

    @classmethod
    def link(cls, source: str) -> PassedOver:
        """A link to a folder: it is not followed, since it may lead back."""
        return cls(source, _LINK, is_plain=False)

    @property
    def remedy(self) -> str:
        """What would read files with that suffix, or leave them out."""
        if self.suffix == _LINK:
            return "not followed; name the folder itself"
        pattern = f"*{self.suffix}" if self.suffix else "NAME"
        if likely := TABLES.get(self.suffix[1:]):
            return f"--rule '{pattern}={likely}' would read them as {likely}"
        return f"not media; --exclude '{pattern}' leaves them out"

    @property
    def _of_table(self) -> str:
        """How columns of the file are embedded, if it is a table."""
        return "; of a table embed columns: --column image=NAME" if is_table(self.source) else ""

    def error(self) -> InputError:
        """The file as an error, where no file may be passed over."""
        return InputError(
            self.source,
            "not an image, video or sound file, nor a .npz with 'depth', 'thermal' or 'samples'",
            "other depth, thermal and imu files need --modality or --rule" + self._of_table,
        )
