"""No file is lost in silence: what is not embedded is named, and what was meant to be media is an error."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console

import bindrt
from bindrt.commands.embed import main
from bindrt.commands.inputs import EmbedArguments, Input, resolve
from bindrt.commands.passed_over import PassedOver
from bindrt.commands.progress import progress_bar
from bindrt.pipeline import EmbeddingFuture
from bindrt.sources.suffixes import modality_by_suffix
from support.embedding import FILM, PHOTO, SOUND, Embed, table


def test_files_that_are_passed_over_are_named_by_suffix(embed: Embed, tmp_path: Path) -> None:
    media = tmp_path / "media"
    media.mkdir()
    shutil.copy(PHOTO, media)
    for name, content in (
        ("a.csv", b"t,x\n0,1\n"), ("b.CSV", b"t,x\n"), ("c.pdf", b"%PDF-1.7\n\xff\x00"),
        ("notes.txt", b"BMW"),
        ("README", b"# read"), ("app.ts", b"export {};\n"), ("empty", b""),
    ):  # fmt: skip
        (media / name).write_bytes(content)
    done = embed(media)
    assert [Path(row["source"]).name for row in done.rows] == [PHOTO.name]
    assert done.code == 3
    assert "7 files passed over" in done.err
    assert (
        f"passed over: 2 .csv, for example {media}/a.csv (--rule '*.csv=imu' would read them as imu)"
        in done.err
    )
    assert f"passed over: 1 .pdf, for example {media}/c.pdf (not media; --exclude '*.pdf' leaves" in done.err
    assert "passed over: 2 without a suffix" in done.err
    output = tmp_path / "out.parquet"
    done = embed(media, "-o", output, "--json")
    assert done.code == 3
    assert {name: s["count"] for name, s in done.summary["passed_over"].items()} == {
        "": 2, ".csv": 2, ".pdf": 1, ".ts": 1, ".txt": 1,
    }  # fmt: skip
    assert done.summary["passed_over"][".csv"]["example"] == str(media / "a.csv")
    assert done.summary["rows"] == len(table(output)) == 1
    texts_alone = embed(media, "--exclude", "*.csv", "--exclude", "*.pdf")
    assert texts_alone.code == 0
    assert "5 files passed over" not in texts_alone.err
    assert "passed over: 1 .txt" in texts_alone.err


def test_strict_refuses_what_would_be_passed_over(embed: Embed, tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    shutil.copy(PHOTO, tmp_path / "media")
    (tmp_path / "media/notes.txt").write_text("no media")
    done = embed(tmp_path / "media", "--strict")
    assert done.code == 1
    assert "notes.txt: not an image, video or sound file" in done.err
    output = tmp_path / "out.parquet"
    done = embed(tmp_path / "media", "--strict", "--on-error", "skip", "-o", output)
    assert done.code == 1
    assert [row["error"] is None for row in table(output)] == [False, True]
    assert embed(PHOTO, "--strict").code == 0


DAMAGED = {
    "cut.mp4": FILM.read_bytes()[:300],
    "page.jpg": b"<!DOCTYPE html><html><body>Not found</body></html>",
    "zero.wav": bytes(4096),
    "pointer.mkv": b"version https://git-lfs.github.com/spec/v1\n",
    "empty.png": b"",
    "cut-without-suffix": FILM.read_bytes()[:300],
    "sound": SOUND.read_bytes()[:30],
    "noise.heic": b"\0\1\2" * 50,
}


@pytest.mark.parametrize("name", DAMAGED)
def test_media_that_cannot_be_read_is_an_error(embed: Embed, tmp_path: Path, name: str) -> None:
    """By its suffix or by its beginning; in a folder as well as named."""
    (tmp_path / name).write_bytes(DAMAGED[name])
    done = embed(tmp_path)
    assert done.code == 1
    assert name in done.err
    assert embed(tmp_path / name).code == 1
    done = embed(tmp_path, "--on-error", "skip")
    assert done.code == 0
    (row,) = done.rows
    assert name in row["error"]
    assert "1 failed" in done.err


@pytest.mark.parametrize(
    ("name", "head", "modality"),
    [
        ("a/B.JPEG", b"", "image"), ("a.m2ts", b"\0", "video"), ("a.ts", b"G\x40\x11\x10", "video"),
        ("a.ts", "const größer = 1".encode(), None), ("a.opus", b"", "audio"), ("a.txt", b"", None),
        ("jpg", b"", None),
    ],
)  # fmt: skip
def test_what_a_suffix_says(name: str, head: bytes, modality: str | None) -> None:
    assert modality_by_suffix(name, head) == modality


def test_a_container_of_another_kind_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cursor"
    path.write_bytes(b"RIFF\x40\0\0\0ACON" + bytes(40))
    with pytest.raises(bindrt.SourceError, match="a RIFF file, which is not read"):
        resolve(Input(str(path), listed=True, name="cursor", path=str(path)), EmbedArguments())


def test_a_text_that_begins_like_a_picture_is_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "cars.md"
    path.write_text("BM is how this begins, as a BMP does.")
    found = resolve(Input(str(path), listed=True, name=path.name, path=str(path)), EmbedArguments())
    assert isinstance(found, PassedOver)
    assert found.is_plain


def test_the_summary_counts_notes(embed: Embed, tmp_path: Path) -> None:
    long = "a dog " * 100
    done = embed("--text", long, "--text", "a dog", "--text", long, "-o", tmp_path / "out.parquet", "--json")
    assert done.summary["notes"]["characters_cut"]["rows"] == 2
    assert "77 tokens" in done.summary["notes"]["characters_cut"]["meaning"]
    kept = [json.loads(row["notes"] or "{}") for row in table(tmp_path / "out.parquet")]
    assert [bool(notes.get("characters_cut")) for notes in kept] == [True, False, True]
    done = embed("--text", long)
    assert "characters_cut: 1 row. The text has more than 77 tokens" in done.err
    assert done.rows[0]["notes"]["characters_cut"] > 0


def test_a_bundle_without_the_modality_fails_the_item_only(
    imu_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(imu_bundle), str(PHOTO), "--on-error", "skip"]) == 0
    assert "the bundle has no image" in json.loads(capsys.readouterr().out)["error"]


def test_links_to_folders_are_named(embed: Embed, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(PHOTO, tmp_path / "elsewhere")
    (tmp_path / "media").mkdir()
    (tmp_path / "media/more").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "media/back").symlink_to(tmp_path)
    done = embed(tmp_path / "media")
    assert (done.code, done.rows) == (3, [])
    assert f"passed over: 2 link to a folder, for example {tmp_path}/media/back (not followed" in done.err
    assert embed(tmp_path / "media", "--strict").code == 1


def test_whatever_a_reader_raises_is_the_items_error(
    embed: Embed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = EmbeddingFuture.result

    def raises(future: EmbeddingFuture, timeout: float | None = None) -> object:
        if future.modality == "audio":
            raise ZeroDivisionError("division by zero")
        return result(future, timeout)

    monkeypatch.setattr(EmbeddingFuture, "result", raises)
    done = embed(SOUND, PHOTO, "--on-error", "skip")
    assert done.code == 0
    assert "ZeroDivisionError: division by zero" in done.rows[0]["error"]
    assert done.rows[1]["error"] is None
    done = embed(SOUND, PHOTO)
    assert done.code == 1
    assert "ZeroDivisionError" in done.err


def test_progress_never_passes_its_total() -> None:
    """Files that appear while a folder is being embedded were not counted."""
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    with progress_bar(console, 2) as advance:
        for _ in range(5):
            advance(1)
    assert "5/5" in console.file.getvalue()  # type: ignore[attr-defined]
