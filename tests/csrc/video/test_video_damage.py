"""Video files through the preparer, under the sanitizers, with the FFmpeg that Python has loaded."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from support import cpp
from support.media import write_video

#: Cases for each file: few in every run, many in the deep one.
CASES = 12
MANY = 1_000
SANITIZERS = ("address,undefined", "thread")
#: FFmpeg is compiled without the sanitizer, which does not see how its threads wait for each other.
FFMPEG = "".join(f"called_from_lib:{name}\n" for name in ("libavcodec", "libavformat", "libavutil"))


def write_files(folder: Path) -> list[str]:
    files = {
        "h264.mp4": {"count": 20, "options": {"g": "6"}},
        "sound.mkv": {"count": 12, "audio": "libopus"},
        "sound.mp4": {"count": 12, "audio": "aac"},
        "mpeg4.mov": {"count": 9, "codec": "mpeg4", "rotation": 90},
        "vp9.webm": {"count": 8, "codec": "libvpx-vp9"},
    }
    return [str(write_video(folder / name, **options)) for name, options in files.items()]  # type: ignore[arg-type]


def run(sanitize: str, cases: int, folder: Path) -> None:
    if reason := cpp.missing(sanitize, folder):
        pytest.skip(reason)
    library = cpp.loaded("libavformat")
    if library is None or av.library_versions["libavformat"][0] not in (62, 63):
        pytest.skip("libavformat is not a library of its own here, or of another version")
    program = cpp.build(sanitize, "video_damage") / "tests" / "cpp" / "video_damage"
    known = folder / "suppressions"
    known.write_text(FFMPEG)
    options = {"TSAN_OPTIONS": f"suppressions={known} print_suppressions=0 ignore_noninstrumented_modules=1"}
    command = [str(program), str(library), str(cases), *write_files(folder)]
    cpp.require_clean(cpp.run(command, cwd=folder, env=options))


@pytest.mark.parametrize("sanitize", SANITIZERS)
def test_whole_and_damaged_files(sanitize: str, tmp_path: Path) -> None:
    run(sanitize, CASES, tmp_path)


@pytest.mark.deep
@pytest.mark.parametrize("sanitize", SANITIZERS)
def test_many_damaged_files(sanitize: str, tmp_path: Path) -> None:
    run(sanitize, MANY, tmp_path)
