"""What earlier versions of bindrt wrote, kept for ever; ``tests/golden/make_kept.py`` made it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
KEPT = sorted((GOLDEN / "kept").glob("*/"))

#: What the kept vectors were made from, one item a modality.
ITEMS: dict[str, Any] = {
    "image": GOLDEN / "inputs/image/tiny.png",
    "video": GOLDEN / "inputs/video/short_1s2.mp4",
    "text": "a dog",
    "audio": GOLDEN / "inputs/audio/short_8k.wav",
    "depth": GOLDEN / "inputs/depth/d2.png",
    "thermal": GOLDEN / "inputs/thermal/t2.png",
    "imu": GOLDEN / "inputs/imu/s2.npz",
}
