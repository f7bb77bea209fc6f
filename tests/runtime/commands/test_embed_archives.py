"""``bind-embed`` with an archive as input."""

from __future__ import annotations

import zipfile
from pathlib import Path

import bindrt
from support.embedding import PHOTO, SOUND, Embed, near, table


def test_an_archive_is_a_folder_that_nobody_has_unpacked(tmp_path: Path, embed: Embed) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(PHOTO, "deep/photo.webp")
        archive.write(SOUND, "short.wav")
        archive.writestr("notes.txt", "no media")
    out = tmp_path / "out.parquet"
    done = embed(tmp_path / "all.zip", "-o", out, "--json")
    assert done.summary["rows"] == 2
    assert done.summary["passed_over"][".txt"]["count"] == 1
    rows = table(out)
    assert [row["source"] for row in rows] == [
        f"{tmp_path}/all.zip/{n}" for n in ("deep/photo.webp", "short.wav")
    ]
    with bindrt.load("tiny") as model:
        assert near(rows[0], model.embed(image=PHOTO).image[0])
        assert near(rows[1], model.embed(audio=SOUND).audio[0])
    again = embed(tmp_path / "all.zip", "-o", out, "--json", "--resume", "--prune")
    assert (again.summary["rows"], again.summary["kept"], again.summary["gone"]) == (0, 2, 0)
