"""The inputs that a benchmark makes where the user gives none: usual sizes, the same each time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import soundfile

from bindrt.benchmark import synthetic
from bindrt.errors import OptionError

CAPTIONS = (
    "a dog barks at a passing car",
    "waves break on a rocky shore at dusk",
    "rain",
    "two children play football in a park while their parents watch from a bench under the trees",
)


@dataclass(frozen=True)
class Maker:
    """How a modality's inputs are made.

    Attributes:
        description: what they are, in words.
        make: makes the item of this number in a folder; returns its path, or the text.
        count: how many differ, so that not the same item is read again and again.
    """

    description: str
    make: Callable[[Path, int], str]
    count: int = 4


def make(modalities: Iterable[str], folder: Path) -> dict[str, list[str]]:
    """Items by modality: paths of files in ``folder``, and texts.

    Raises:
        OptionError: nothing can be made for a modality.
    """
    return {m: [maker(m).make(folder, i) for i in range(maker(m).count)] for m in modalities}


def maker(modality: str) -> Maker:
    """
    Raises:
        OptionError: there is none.
    """
    if modality not in MAKERS:
        raise OptionError("--files", f"no files can be made for {modality}", "give files of your own")
    return MAKERS[modality]


def file(name: str, write: Callable[[Path, int], None]) -> Callable[[Path, int], str]:
    """Makes files; ``name`` is for example ``image-{}.jpg``."""

    def written(folder: Path, number: int) -> str:
        path = folder / name.format(number)
        write(path, number)
        return str(path)

    return written


def image(path: Path, number: int) -> None:
    PIL.Image.fromarray(synthetic.photograph(640, 480, 1 + number)).save(path, quality=90)


def video(path: Path, number: int, width: int = 640, height: int = 360) -> None:
    import av

    with av.open(str(path), "w") as out:
        names = [c for c in ("libx264", "mpeg4") if c in av.codecs_available]
        stream: Any = out.add_stream(names[0], rate=25, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in synthetic.video(width, height, 125):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode())


def audio(path: Path, number: int) -> None:
    soundfile.write(path, synthetic.sound(5, 3 + number), synthetic.SOUND_RATE, "PCM_16")


def depth(path: Path, number: int) -> None:
    millimetres = (600 + 4000 * synthetic.smooth(640, 480, 8 + number)).astype(np.uint16)
    PIL.Image.fromarray(millimetres).save(path)


def thermal(path: Path, number: int) -> None:
    PIL.Image.fromarray((255 * synthetic.smooth(640, 512, 10 + number)).astype(np.uint8)).save(path)


def imu(path: Path, number: int) -> None:
    samples, times = synthetic.motion(11 + number)
    np.savez(path, samples=samples, t=times)


MAKERS = {
    "image": Maker("JPEG 640×480", file("image-{}.jpg", image)),
    "video": Maker("H.264, 5 s 640×360", file("video-{}.mp4", video), count=1),
    "text": Maker("captions of 3 to 19 tokens", lambda folder, number: CAPTIONS[number]),
    "audio": Maker("WAV, 5 s 44.1 kHz stereo", file("audio-{}.wav", audio)),
    "depth": Maker("16-bit PNG 640×480", file("depth-{}.png", depth)),
    "thermal": Maker("8-bit PNG 640×512", file("thermal-{}.png", thermal)),
    "imu": Maker("5 s at 200 Hz", file("imu-{}.npz", imu)),
}
