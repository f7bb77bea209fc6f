"""Writes the files of the README's first lines: ``python examples/first_files.py [FOLDER]``.

They show a bell, a car, a train and a fire of the world that bind-tiny knows. Each kind has files of all
modalities: ``bell.jpg``, ``.mp4``, ``.wav``, ``.depth.png``, ``.thermal.png``, ``.npz`` and ``.txt``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tiny.world import sample, write_files

KINDS = ("bell", "car", "train", "fire")
SEED = 8_000_000  # scenes that neither training nor the scores have seen


def main() -> int:
    folder = Path(sys.argv[1] if sys.argv[1:] else ".")
    for i, kind in enumerate(KINDS):
        write_files(sample(SEED + i, (kind,), "test"), folder, kind)
    print(f"wrote files of {', '.join(KINDS)} into {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
