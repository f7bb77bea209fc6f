"""The libraries that decode sound and videos, handed to the core once they are loaded.

From then on it reads ordinary files by itself, without the interpreter's lock: ``csrc/prepare/audio.cpp``,
``csrc/prepare/video.cpp``.
"""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from typing import Any

from bindrt import _core
from bindrt.sources.opening import library

_OF_THE_SYSTEM = "libsndfile.so.1"


@lru_cache(maxsize=1)
def hand_over_libsndfile() -> bool:
    """Hands over the libsndfile that :mod:`soundfile` has loaded: its wheel's, or the system's.

    Returns:
        Whether it was found. Else Python reads all files.
    """
    return any(_core.use_libsndfile(path) for path in (*_of_the_wheel(), _OF_THE_SYSTEM))


def _of_the_wheel() -> list[str]:
    data = sys.modules.get("_soundfile_data")
    if data is None or data.__file__ is None:
        return []
    folder = os.path.dirname(data.__file__)
    return [os.path.join(folder, name) for name in os.listdir(folder) if name.startswith("libsndfile")]


@lru_cache(maxsize=1)
def hand_over_libavcodec() -> bool:
    """Hands over the libavcodec that PyAV has loaded.

    Returns:
        Whether it is of a known version. Else Python reads all files.
    """
    return _core.use_libavcodec(_whole_av().codec.context.__file__)


@lru_cache(maxsize=1)
def hand_over_ffmpeg() -> bool:
    """Hands over the FFmpeg with which PyAV reads containers.

    Returns:
        Whether it is of a known version. Else Python reads all videos.
    """
    return _core.use_ffmpeg(_whole_av().container.core.__file__)


def _whole_av() -> Any:
    """PyAV: a thread that imports a part of it while another imports the whole may get an error instead."""
    return library("av")
