"""``docs/serving.png``: the page of ``bind-serve`` with bind-tiny, as a browser shows it.

``PYTHONPATH=tests:examples python tools/serve_picture.py`` makes it anew; it needs Chromium.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from pathlib import Path

import PIL.Image

import bindrt
from support.browser import Browser
from support.serve_page import STATUS, WRITE, drop
from support.serving import running
from tiny.world import sample, write_files

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "serving.png"
SIZE = 1200, 1000
TYPES = {"jpg": "image/jpeg", "wav": "audio/wav"}
FILES, TEXT = ("bell.jpg", "car.jpg", "bell.wav"), "a car driving"


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, kind in enumerate(("bell", "car")):
            write_files(sample(8_000_000 + number, (kind,), "test"), folder, kind)
        with (
            bindrt.load("tiny") as model,
            running(model) as server,
            Browser(folder / "profile", *SIZE) as browser,
        ):
            browser.open(server.url + "/")
            drop(browser, *((file, TYPES[file[-3:]], (folder / file).read_bytes()) for file in FILES))
            browser.evaluate(WRITE % json.dumps(TEXT))
            assert browser.becomes(STATUS, "4 compared.") == "4 compared."
            assert browser.becomes("[...document.images].every((found) => found.naturalWidth > 0)") is True
            shot = PIL.Image.open(io.BytesIO(browser.picture())).convert("RGB")
    shot.quantize(256).save(PICTURE, optimize=True)
    print(f"wrote {PICTURE}, {PICTURE.stat().st_size // 1024} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
