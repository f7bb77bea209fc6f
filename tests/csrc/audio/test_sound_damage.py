"""Sound files through the preparer, under the sanitizers, with the libraries that Python has loaded."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import av
import pytest
import soundfile

from support import cpp
from support.media import sound_bytes, waveform

#: Cases for each file: few in every run, many in the deep one.
CASES = 30
MANY = 3_000
SANITIZERS = ("address,undefined", "thread")
#: The log of the last file that it could not open is one for all threads of libsndfile; nobody reads it.
NO_RACE = "race:psf_open_file\n"


def mp3() -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="mp3") as media:
        stream: Any = media.add_stream("libmp3lame", rate=44100, layout="stereo")
        frame = av.AudioFrame.from_ndarray(waveform(1.0, 2, 44100), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = 44100, 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            media.mux(packet)
    return out.getvalue()


def write_files(folder: Path) -> list[str]:
    """Files of all the kinds that are read, and a FLAC of which parts are."""
    brief = waveform(0.7, 2)
    files = {
        "pcm.wav": sound_bytes("WAV", brief),
        "float.wav": sound_bytes("WAV", brief, subtype="FLOAT"),
        "24.wav": sound_bytes("WAVEX", brief, subtype="PCM_24"),
        "brief.flac": sound_bytes("FLAC", brief),
        "long.flac": sound_bytes("FLAC", waveform(17.0, 8, 8000) * 0, 8000),
        "vorbis.ogg": sound_bytes("OGG", brief),
        "opus.ogg": sound_bytes("OGG", waveform(0.7, 1, 48000), 48000, subtype="OPUS"),
        "sound.mp3": mp3(),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return sorted(str(folder / name) for name in files)


def run(sanitize: str, cases: int, folder: Path) -> None:
    if reason := cpp.missing(sanitize, folder):
        pytest.skip(reason)
    assert soundfile.__libsndfile_version__  # so it is loaded
    libraries = [cpp.loaded("libsndfile"), cpp.loaded("libavcodec")]
    if None in libraries:
        pytest.skip("libsndfile or libavcodec is not a library of its own here")
    program = cpp.build(sanitize, "sound_damage") / "tests" / "cpp" / "sound_damage"
    command = [str(program), *map(str, libraries), str(cases), *write_files(folder)]
    known = folder / "suppressions"
    known.write_text(NO_RACE)
    options = {"TSAN_OPTIONS": f"suppressions={known} print_suppressions=0"}
    cpp.require_clean(cpp.run(command, cwd=folder, env=options))


@pytest.mark.parametrize("sanitize", SANITIZERS)
def test_whole_and_damaged_files(sanitize: str, tmp_path: Path) -> None:
    run(sanitize, CASES, tmp_path)


@pytest.mark.deep
@pytest.mark.parametrize("sanitize", SANITIZERS)
def test_many_damaged_files(sanitize: str, tmp_path: Path) -> None:
    run(sanitize, MANY, tmp_path)
