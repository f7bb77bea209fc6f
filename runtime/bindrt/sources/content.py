"""What a file holds, for the modalities to recognize it by; looked into only as far as they ask."""

from __future__ import annotations

from functools import cached_property

from bindrt.errors import SourceError
from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.sources.container import open_container, video_stream
from bindrt.sources.formats import ARRAYS, SOUND, TRACKS, Format, sniff
from bindrt.sources.numpyfile import npz_fields
from bindrt.sources.opening import Opened
from bindrt.sources.tables import table_names


class Content:
    """The content of one file; a modality's ``recognizes`` takes it and says whether the file is its own.

    Attributes:
        format: the file's format, by its first bytes. ``format.holds`` is ``PICTURE`` for a still image.
    """

    def __init__(self, opened: Opened, limits: Limits = DEFAULT_LIMITS) -> None:
        self._opened, self._limits = opened, limits
        self.format: Format = sniff(opened)

    @cached_property
    def streams(self) -> frozenset[str]:
        """Which of ``video`` and ``audio`` the file plays; empty if it is damaged.

        A cover image is not a video.
        """
        if self.format.holds not in (SOUND, TRACKS):
            return frozenset()
        if self.format.holds == SOUND and self.format.family == "audio":  # a container must be opened
            return frozenset(("audio",))
        try:
            with open_container(self._opened, self.format, self._limits) as media:
                there = {"video": video_stream(media) is not None, "audio": bool(media.streams.audio)}
        except SourceError:
            return frozenset()
        return frozenset(name for name in there if there[name])

    @cached_property
    def fields(self) -> frozenset[str]:
        """Names of a ``.npz`` file's arrays or a table's columns; empty for others and if it is damaged."""
        if self.format.holds != ARRAYS:
            return frozenset()
        try:
            if self.format.family == "table":
                return frozenset(table_names(self._opened, self.format.name))
            return frozenset(npz_fields(self._opened))
        except SourceError:
            return frozenset()
