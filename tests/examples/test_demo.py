"""``make demo``'s program, as a user without torch runs it, and its page in a browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from base64 import b64decode
from io import BytesIO
from pathlib import Path

import av
import demo_picture
import pytest

from support.browser import CHROMIUM, FLAGS
from tiny.previews import small_video
from tiny.sums import WAYS
from tiny.world import KINDS, sample, write_files

DEMO = Path(__file__).resolve().parent.parent.parent / "examples" / "demo.py"
COUNT = """<pre id="counts"></pre><script>addEventListener("load", () => {
  const all = (name) => [...document.querySelectorAll(name)];
  const broken = all("img").filter((i) => !i.complete || i.naturalWidth === 0).length;
  const wide = document.documentElement.scrollWidth > innerWidth;
  document.getElementById("counts").textContent = `images ${all("img").length} broken ${broken} ` +
    `videos ${all("video").length} audio ${all("audio").length} lines ${all("polyline").length} wide ${wide}`;
});</script>"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What the demo printed, and its page."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "no" / "torch").mkdir(parents=True)
    (folder / "no" / "torch" / "__init__.py").write_text('raise ImportError("the demo must not need torch")')
    own = folder / "own.txt"
    own.write_text("not a picture")
    done = subprocess.run(
        [sys.executable, str(DEMO), str(own), "--output", str(folder / "out")],
        env=os.environ | {"PYTHONPATH": str(folder / "no"), "COLUMNS": "120"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, folder / "out" / "index.html"


def test_most_sounds_depths_heats_and_motions_find_their_text(demo: tuple[str, Path]) -> None:
    printed, _ = demo
    title = printed.index("The nearest item of another scene")
    columns = ("image", "video", "text", "audio", "depth", "thermal", "imu")
    for modality in columns:
        row = re.search(rf"^ ?{modality} .*%.*$", printed[title:], re.MULTILINE)
        assert row, printed
        shares = [int(share) for share in re.findall(r"(\d+)%", row[0])]
        assert len(shares) == len(columns)
        assert min(shares) >= 60, row[0]
    assert "own.txt" in printed


def test_sums_say_what_they_mean(demo: tuple[str, Path]) -> None:
    """The sum finds both events more often than either query alone, which finds its own."""
    printed, page = demo
    shares = {
        way: [int(share) for share in re.findall(r"(\d+)%", line)]
        for way in WAYS
        for line in re.findall(rf"^ ?{re.escape(way)} .*$", printed, re.MULTILINE)
    }
    both, seen, heard = (shares[way][0] for way in WAYS)
    assert both > 1.5 * max(seen, heard)
    assert min(shares["picture alone"][1], shares["sound alone"][2]) > 60
    assert len(re.findall(" ✓$", printed, re.MULTILINE)) == len(re.findall(" ✗$", printed, re.MULTILINE)) == 2
    for share in shares["picture + sound"]:
        assert f"<td>{share}%</td>" in page.read_text("utf-8")


def test_page_is_small_and_fits_a_narrow_screen(demo: tuple[str, Path]) -> None:
    text = demo[1].read_text("utf-8")
    assert len(text) < 2_000_000
    assert "width=device-width, initial-scale=1" in text
    assert len(re.findall(r"<table", text)) == len(re.findall(r'<div class="scroll"><table', text)) == 2


def test_picture_of_the_documentation_is_of_this_page() -> None:
    assert demo_picture.kept_digest() == demo_picture.digest(), "python tools/demo_picture.py renews it"


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here to look at the page with")
@pytest.mark.parametrize("width", [1300, 400])
def test_page_in_a_browser(demo: tuple[str, Path], width: int, tmp_path: Path) -> None:
    _, page = demo
    copy = tmp_path / "counted.html"
    copy.write_text(page.read_text("utf-8") + COUNT, "utf-8")
    done = subprocess.run(
        [
            str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},1000",
            "--virtual-time-budget=20000", "--dump-dom", copy.as_uri(),
        ],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    counts = re.search(r'<pre id="counts">(.*?)</pre>', done.stdout)
    assert counts, done.stdout[-500:] + done.stderr[-2000:]
    kinds, sums = len(KINDS), 4
    assert counts[1] == (
        f"images {3 * kinds + 2 * sums} broken 0 videos {kinds} audio {kinds + sums} "
        f"lines {6 * kinds} wide false"
    )


def test_small_videos_last_as_long_as_the_files(tmp_path: Path) -> None:
    paths = write_files(sample(1, ("bell",), "test"), tmp_path, "bell")
    small = b64decode(small_video(paths["video"]).partition(",")[2])
    with av.open(str(paths["video"])) as file, av.open(BytesIO(small)) as copy:
        assert copy.duration == file.duration
        assert copy.streams.video[0].frames == file.streams.video[0].frames
    assert len(small) < paths["video"].stat().st_size / 5
