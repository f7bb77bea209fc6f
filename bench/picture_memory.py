"""How much memory decoding a picture takes for each pixel, by format: ``python -m bench.picture_memory``.

The figures stand in ``bindrt/sources/pixel_limits.py``, rounded up. Each is measured in a process of its own:
the growth of resident memory from just before the call to its peak.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

SIDE = 4000
#: What the file is called → Pillow's format and options, and the mode.
MADE: dict[str, tuple[str, str, dict[str, Any]]] = {
    "baseline.jpg": ("JPEG", "RGB", {}),
    "progressive.jpg": ("JPEG", "RGB", {"progressive": True, "subsampling": 0}),
    "rgb.png": ("PNG", "RGB", {"compress_level": 1}),
    "rgba.png": ("PNG", "RGBA", {"compress_level": 1}),
    "rgb.bmp": ("BMP", "RGB", {}),
    "lzw.tiff": ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    "palette.gif": ("GIF", "RGB", {}),
    "rgb.ppm": ("PPM", "RGB", {}),
    "lossless.webp": ("WEBP", "RGBA", {"lossless": True, "method": 0}),
    "lossy.webp": ("WEBP", "RGB", {"method": 0}),
    "rgb.avif": ("AVIF", "RGB", {"speed": 10}),
    "rgba.avif": ("AVIF", "RGBA", {"speed": 10, "subsampling": "4:4:4"}),
    "rgb.heic": ("HEIF", "RGB", {}),
    "rgba.heic": ("HEIF", "RGBA", {"chroma": 444}),
    "rgb.jp2": ("JPEG2000", "RGB", {}),
    "rgba.jp2": ("JPEG2000", "RGBA", {}),
    "rgb.qoi": ("QOI", "RGB", {}),
    "rgb.pcx": ("PCX", "RGB", {}),
    "rgba.sgi": ("SGI", "RGBA", {}),
    "rgba.dds": ("DDS", "RGBA", {}),
    "lossy.jxl": ("JXL", "RGB", {"effort": 1}),
    "lossless.jxl": ("JXL", "RGBA", {"effort": 1, "lossless": True}),
}


def make(path: Path, fmt: str, mode: str, options: dict[str, Any]) -> None:
    """A picture of squares with some noise."""
    import pillow_heif
    import pillow_jxl  # noqa: F401 - teaches Pillow the format
    from PIL import Image

    pillow_heif.register_heif_opener()
    small = np.random.default_rng(0).integers(0, 256, (SIDE // 8, SIDE // 8, 3), dtype=np.uint8)
    Image.fromarray(small.repeat(8, 0).repeat(8, 1)).convert(mode).save(path, fmt, **options)


def measure(path: Path) -> float:
    """Bytes a pixel, of this process."""
    from bindrt import Limits, preprocess

    open_limits = Limits(max_picture_bytes=1 << 60)
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    preprocess.image(path, limits=open_limits)
    return (_status("VmHWM") - before) * 1024 / SIDE**2


def _status(key: str) -> int:
    return int(Path("/proc/self/status").read_text().split(f"{key}:")[1].split()[0])


def main() -> None:
    if len(sys.argv) == 2:
        print(f"{measure(Path(sys.argv[1])):.1f}")
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, (fmt, mode, options) in MADE.items():
            path = Path(folder) / name
            make(path, fmt, mode, options)
            run = [sys.executable, "-m", "bench.picture_memory", str(path)]
            said = subprocess.run(run, capture_output=True, text=True, check=True).stdout
            print(f"{name:16} {said.strip():>6} bytes a pixel", flush=True)
            path.unlink()


if __name__ == "__main__":
    main()
