"""Writes the files of the README and of the recipes: ``python examples/first_files.py [FOLDER]``.

They show a bell, a car, a train and a fire of the world that bind-tiny knows. Each kind has files of all
modalities: ``bell.jpg``, ``.mp4``, ``.wav``, ``.depth.png``, ``.thermal.png``, ``.npz`` and ``.txt``. The
pictures are in ``photos/`` too; ``film.mp4`` shows the bell and then the car; ``ride.csv`` is the motion of
the bell as a table.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

from tiny.world import sample, write_files

KINDS = ("bell", "car", "train", "fire")
SEED = 8_000_000  # scenes that neither training nor the scores have seen


def write_all(folder: Path) -> None:
    for i, kind in enumerate(KINDS):
        write_files(sample(SEED + i, (kind,), "test"), folder, kind)
    (folder / "photos").mkdir(exist_ok=True)
    for kind in KINDS:
        shutil.copy(folder / f"{kind}.jpg", folder / "photos")
    join_videos([folder / "bell.mp4", folder / "car.mp4"], folder / "film.mp4")
    with np.load(folder / "bell.npz") as archive:
        samples, rate = archive["samples"], float(archive["rate"])
    table = np.column_stack([np.arange(samples.shape[1]) * 1000 / rate, samples.T])
    names = "time_ms,ax,ay,az,gx,gy,gz"
    np.savetxt(folder / "ride.csv", table, fmt="%.6g", delimiter=",", header=names, comments="")


def join_videos(parts: Sequence[Path], path: Path) -> None:
    """One after the other, of the size and rate of the first."""
    with av.open(str(path), "w") as film:
        stream = None
        for part in parts:
            with av.open(str(part)) as source:
                track = source.streams.video[0]
                if stream is None:
                    stream = film.add_stream("libx264", rate=track.average_rate)
                    stream.width, stream.height, stream.pix_fmt = track.width, track.height, "yuv420p"
                for frame in source.decode(track):
                    pixels = frame.to_ndarray(format="rgb24")
                    film.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        if stream is not None:
            film.mux(stream.encode(None))


def main() -> int:
    folder = Path(sys.argv[1] if sys.argv[1:] else ".")
    write_all(folder)
    print(f"wrote files of {', '.join(KINDS)} into {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
