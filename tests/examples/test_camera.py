"""The camera example from a file: everything but the driver."""

from __future__ import annotations

from pathlib import Path

import camera
import pytest

from tiny.world import sample, write_files


@pytest.fixture(scope="module")
def bell(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_files(sample(8_000_000, ("bell",), "test"), tmp_path_factory.mktemp("bell"), "bell")


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = camera.main([str(word) for word in words])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.mark.parametrize("more", [[], ["--video"]])
def test_finds_what_a_file_shows(
    bell: dict[str, Path], more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    prompts = ["--prompt", "a bell ringing", "--prompt", "a car driving"]
    code, printed, _ = run(capsys, bell["video"], *prompts, "--fast", *more)
    assert code == 0, printed
    lines = printed.splitlines()
    scored = [line for line in lines if "a bell ringing +" in line and "a car driving" in line]
    assert all(line.split("  ")[-1].startswith("a bell ringing +") for line in scored)
    assert lines[-1].startswith(f"{len(scored)} windows, 0 without a vector")
    assert any("a bell ringing until" in line for line in lines)


def test_ends_after_its_time(bell: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    code, printed, _ = run(
        capsys, bell["video"], "--prompt", "a bell", "--fast", "--seconds", 1, "--hop", 0.5
    )
    assert code == 0
    assert printed.splitlines()[-1].startswith("2 windows")


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("/dev/video99", "it cannot be opened: No such file or directory; name a camera such as /dev/video0"),
        ("none.mp4", "it cannot be opened"),
        ("{audio}", "it has no pictures"),
    ],
)
def test_a_source_that_cannot_be_watched(
    bell: dict[str, Path], source: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, error = run(capsys, source.format(audio=bell["audio"]), "--prompt", "a bell ringing")
    assert code == 1
    assert problem in error
    assert len(error.splitlines()) == 1


def test_without_prompts(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, error = run(capsys, "x.mp4")
    assert (code, error) == (1, "--prompt: there is nothing to look for; --prompt 'a bell ringing'\n")
