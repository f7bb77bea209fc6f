"""Sound: FFmpeg decodes MP3 and sound tracks, libsndfile the other sound files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.sources.beginning import sound_start
from bindrt.sources.container import open_container, video_stream
from bindrt.sources.declared import check_declared_size
from bindrt.sources.formats import SOUND, TRACKS, Format, sniff, unfit
from bindrt.sources.mp3 import open_mp3
from bindrt.sources.opening import Opened
from bindrt.sources.recording import Recording
from bindrt.sources.soundfiles import open_sound
from bindrt.sources.tracks import open_track


@contextlib.contextmanager
def open_audio(opened: Opened, limits: Limits = DEFAULT_LIMITS) -> Iterator[Recording]:
    """Opens a sound file, or the sound track of a video.

    Raises:
        SourceError: the file is of another format, damaged or truncated, or has no sound track.
        LimitError: it is longer than ``limits.max_seconds``.
    """
    file_format = sniff(opened)
    check_declared_size(opened, file_format)
    if file_format.family == "container":
        yield open_track(opened, file_format, limits)
    elif file_format.name == "MP3":
        yield open_mp3(opened, limits) or open_track(opened, file_format, limits)
    elif file_format.family == "audio":
        if file_format.name == "OGG" and _has_video(opened, file_format, limits):
            yield open_track(opened, file_format, limits)
            return
        start = 0 if file_format.begins(opened.head) else sound_start(opened)
        with open_sound(opened, file_format, start, limits) as recording:
            yield recording
    else:
        raise unfit(opened, file_format, "a recording", SOUND, TRACKS)


def _has_video(opened: Opened, file_format: Format, limits: Limits) -> bool:
    # A file that FFmpeg refuses is an error: libsndfile 1.2.2 would find no sample in it either, and it
    # leaks about 6 kB for each file that ends within the Vorbis headers.
    with open_container(opened, file_format, limits) as media:
        return video_stream(media) is not None
