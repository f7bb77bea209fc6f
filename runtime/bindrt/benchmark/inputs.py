"""The items of a benchmark: the user's files, or made ones."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import PIL.Image
import soundfile

from bindrt.benchmark import synthetic
from bindrt.errors import InputError, OptionError
from bindrt.preprocess import detect, prepare
from bindrt.sources.folders import files_below

#: By modality, paths; for text, the texts themselves.
Sources = dict[str, list[str]]
MADE = 4  # files of a modality, so that not the same file is read again and again
CAPTIONS = (
    "a dog barks at a passing car",
    "waves break on a rocky shore at dusk",
    "rain",
    "two children play football in a park while their parents watch from a bench under the trees",
)


def open_items(sources: Mapping[str, Sequence[str]], tensors: bool) -> dict[str, list[object]]:
    """The items to submit: paths and texts, or with ``tensors`` what preprocessing makes of them."""
    if not tensors:
        return {m: list(given) for m, given in sources.items()}
    return {m: [prepare(m, item) for item in given] for m, given in sources.items()}


def from_files(paths: Sequence[str], wanted: Sequence[str], explicit: bool) -> Sources:
    """The user's files by modality, for those modalities of ``wanted`` that have any.

    Folders are searched. Where one modality is asked for, all files belong to it; else the content of each
    file decides. A ``.txt`` file has a text a line.

    Args:
        explicit: the user named the modalities, so each must have a file.

    Raises:
        InputError, OptionError: a file is missing or of no modality; a modality has none.
    """
    found: Sources = {}
    for path in paths:
        listed = os.path.isdir(path)
        for name in files_below(path) if listed else [path]:
            modality = modality_of(name, wanted, explicit, listed)
            if modality == "text":
                found.setdefault("text", []).extend(lines_of(name))
            elif modality is not None:
                found.setdefault(modality, []).append(name)
    missing = [m for m in wanted if not found.get(m)]
    if not found or (explicit and missing):
        raise OptionError(
            "--files",
            f"no file of {', '.join(missing)}",
            "add some, name fewer with --modality, or leave --files out: files are made",
        )
    return {m: found[m] for m in wanted if m in found}


def modality_of(name: str, wanted: Sequence[str], explicit: bool, listed: bool) -> str | None:
    """A file's modality; None: it was found in a folder and is not wanted."""
    if explicit and len(wanted) == 1:
        return wanted[0] if wanted[0] != "text" or not listed or name.endswith(".txt") else None
    modality = "text" if name.endswith(".txt") else detect(name)
    if modality in wanted:
        return modality
    if listed:
        return None
    if modality is None:
        raise InputError(
            name, "its modality cannot be told", "depth, thermal and imu files of other kinds than .npz need "
            "--modality with that one alone"
        )  # fmt: skip
    raise InputError(name, f"its modality is {modality}", f"measured are {', '.join(wanted)}")


def lines_of(path: str) -> list[str]:
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(path, f"it cannot be read as text ({error})", "give UTF-8, a text a line") from None
    return [line for line in lines if line.strip()]


def made(modalities: Iterable[str], folder: Path) -> Sources:
    """Well-formed files of usual sizes, written into ``folder``; the same each time.

    Raises:
        OptionError: no files can be made for a modality.
    """
    modalities = list(modalities)
    for modality in modalities:
        if modality != "text" and modality not in _MAKERS:
            raise OptionError("--files", f"no files can be made for {modality}", "give files of your own")
    return {
        m: list(CAPTIONS)
        if m == "text"
        else [write(m, folder, i) for i in range(MADE if m != "video" else 1)]
        for m in modalities
    }


def made_files_are(modality: str) -> str:
    """What the made files of a modality are, in words."""
    return _MAKERS[modality][1] if modality != "text" else "captions of 3 to 19 tokens"


def write(modality: str, folder: Path, number: int) -> str:
    suffix = _MAKERS[modality][0]
    path = folder / f"{modality}-{number}{suffix}"
    _MAKERS[modality][2](path, number)
    return str(path)


def _image(path: Path, number: int) -> None:
    PIL.Image.fromarray(synthetic.photograph(640, 480, 1 + number)).save(path, quality=90)


def _video(path: Path, number: int) -> None:
    with av.open(str(path), "w") as out:
        names = [c for c in ("libx264", "mpeg4") if c in av.codecs_available]
        stream: Any = out.add_stream(names[0], rate=25, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for frame in synthetic.video(640, 360, 125):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode())


def _audio(path: Path, number: int) -> None:
    soundfile.write(path, synthetic.sound(5, 3 + number), synthetic.SOUND_RATE, "PCM_16")


def _depth(path: Path, number: int) -> None:
    millimetres = (600 + 4000 * synthetic.smooth(640, 480, 8 + number)).astype(np.uint16)
    PIL.Image.fromarray(millimetres).save(path)


def _thermal(path: Path, number: int) -> None:
    PIL.Image.fromarray((255 * synthetic.smooth(640, 512, 10 + number)).astype(np.uint8)).save(path)


def _imu(path: Path, number: int) -> None:
    samples, times = synthetic.motion(11 + number)
    np.savez(path, samples=samples, t=times)


#: Suffix, what it is, and what writes it.
_MAKERS: dict[str, tuple[str, str, Callable[[Path, int], None]]] = {
    "image": (".jpg", "JPEG 640×480", _image),
    "video": (".mp4", "H.264, 5 s 640×360", _video),
    "audio": (".wav", "WAV, 5 s 44.1 kHz stereo", _audio),
    "depth": (".png", "16-bit PNG 640×480", _depth),
    "thermal": (".png", "8-bit PNG 640×512", _thermal),
    "imu": (".npz", "5 s at 200 Hz", _imu),
}
