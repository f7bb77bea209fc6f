"""``docs/demo.png``: what ``make demo`` shows, as a browser shows it. Needs Chromium.

``python tools/demo_picture.py`` makes it anew. A test says when it must be: the picture keeps the digest of
the code that makes the page.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import PIL.Image
import PIL.PngImagePlugin

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "demo.png"
#: What decides how the page looks.
CODE = ("examples/demo.py", *(f"examples/tiny/{name}.py" for name in ("page", "previews", "sums")))
SIZE = 1240, 1130


def digest() -> str:
    """The digest of the code that makes the page."""
    return hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in CODE)).hexdigest()


def kept_digest() -> str:
    """The digest of the code that made the picture."""
    with PIL.Image.open(PICTURE) as picture:
        return str(picture.info.get("code", ""))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("google-chrome"))
    chromium = parser.parse_args().chromium
    if chromium is None:
        print("Chromium is not here; name it with --chromium", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, str(ROOT / "examples/demo.py"), "--output", folder], check=True)
        shot = Path(folder) / "shot.png"
        subprocess.run(
            [
                chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                "--hide-scrollbars", f"--user-data-dir={folder}/profile", "--window-size={},{}".format(*SIZE),
                f"--screenshot={shot}", (Path(folder) / "index.html").as_uri(),
            ],
            check=True,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        told = PIL.PngImagePlugin.PngInfo()
        told.add_text("code", digest())
        PIL.Image.open(shot).convert("RGB").quantize(128).save(PICTURE, optimize=True, pnginfo=told)
    print(f"wrote {PICTURE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
