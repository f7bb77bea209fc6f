"""FFmpeg with NVDEC for tests: a stand-in (tests/ffmpegsim) on the simulated driver's memory."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

import av

from bindrt import _core
from support import cpp

_LIBRARIES = ("libavformat", "libavcodec", "libavutil")


class FfmpegSim:
    """The stand-in, which this process uses in FFmpeg's place from now on.

    It must be made before a video is read, and once ``BINDRT_LIBCUDA`` names the simulated driver.
    """

    def __init__(self, folder: Path) -> None:
        assert av.library_versions["libavcodec"][0] in (62, 63)
        libraries = [str(cpp.loaded(name)) for name in _LIBRARIES]
        names = dict(zip(_LIBRARIES, (Path(path).name for path in libraries), strict=True))
        made = folder / "libffmpegsim.so"
        command = [
            os.environ.get("CXX", "c++"), "-std=c++20", "-O1", "-fPIC", "-shared", f"-I{cpp.ROOT}",
            f'-DAVCODEC="{names["libavcodec"]}"', f'-DAVUTIL="{names["libavutil"]}"',
            str(cpp.ROOT / "tests" / "ffmpegsim" / "ffmpegsim.cpp"),
            "-Wl,--no-as-needed", *libraries, "-ldl", "-o", str(made),
        ]  # fmt: skip
        built = cpp.run(command)
        assert built.returncode == 0, built.stdout[-4000:]
        self._library = ctypes.CDLL(str(made))
        self._library.ffmpegsim_misused.restype = ctypes.c_char_p
        assert _core.use_ffmpeg(str(made)), "FFmpeg was in use already"

    def behave(self, how: str) -> None:
        """What it does with the next videos.

        ``refuses`` each; ``breaks``: refuses it after its first frame, ``breaks late`` after some more;
        ``deep``: frames of another kind; ``cropped``: frames that begin elsewhere; ``no device``: it cannot
        use the GPU; ``other stream``: a planted fault, frames are not written on the stream that it was
        given; "": nothing of it.
        """
        self._library.ffmpegsim_behave(how.encode())

    def frames(self) -> int:
        """How many it has decoded so far."""
        return int(self._library.ffmpegsim_frames())

    def misused(self) -> str:
        """What was done to it that must not be."""
        return str(self._library.ffmpegsim_misused().decode())
