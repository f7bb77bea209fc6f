"""``bind-embed``'s inputs and its terminal, where they are unusual."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bindrt.commands.inputs import EmbedArguments, list_inputs, resolve
from bindrt.errors import SourceError
from support.commands import command, run_command
from support.golden import HERE

PHOTO = HERE / "inputs/image/photo.webp"


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_files_may_stand_behind_options(small_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "-x.webp").write_bytes(PHOTO.read_bytes())
    done = subprocess.run(
        command("bind-embed", small_bundle, PHOTO, "--text", "a", PHOTO, "--", "-x.webp"),
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert [row["source"] for row in lines(done.stdout)] == [str(PHOTO), str(PHOTO), "-x.webp", "a"]


def test_names_that_the_system_refuses_are_bad_inputs_like_others(small_bundle: Path) -> None:
    names = ["x" * 5000, "a\0b", f"{PHOTO}/below", str(PHOTO)]
    done = subprocess.run(
        command("bind-embed", small_bundle, "-", "--on-error", "skip"),
        input="\n".join(names),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    rows = lines(done.stdout)
    assert [row["source"] for row in rows] == names
    assert [row["error"] is None for row in rows] == [False, False, False, True]
    assert "name too long" in rows[0]["error"]


def test_a_folder_that_cannot_be_read_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "locked").mkdir()
    (tmp_path / "z").mkdir()
    (tmp_path / "z" / "photo.webp").write_bytes(PHOTO.read_bytes())
    scan = os.scandir

    def refuse(path: Any) -> Any:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    request = EmbedArguments([str(tmp_path)])
    photo, locked = list_inputs(request)
    assert photo is not None
    assert resolve(photo, request) == ("image", str(tmp_path / "z/photo.webp"))
    assert locked is not None
    with pytest.raises(SourceError, match=r"locked: the folder cannot be read"):
        resolve(locked, request)


def test_json_lines_are_utf8_in_any_language(small_bundle: Path) -> None:
    done = subprocess.run(
        command("bind-embed", small_bundle, "--text", "größer ☃"),
        capture_output=True,
        timeout=120,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 0, done.stderr
    assert lines(done.stdout.decode("utf-8"))[0]["source"] == "größer ☃"


def test_standard_input_that_is_closed(small_bundle: Path) -> None:
    script = ["sh", "-c", 'exec "$0" "$@" <&-', *command("bind-embed", small_bundle, "-")]
    done = subprocess.run(script, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr == "bind-embed: standard input: it is closed; give a list of paths on it\n"


def test_nothing_to_embed_is_said_once(small_bundle: Path) -> None:
    assert run_command("bind-embed", small_bundle).stderr.startswith("bind-embed: nothing to embed;")
