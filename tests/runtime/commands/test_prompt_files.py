"""Files of prompts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt.commands.prompt_files import read_prompts


def read(folder: Path, text: str, name: str = "p.txt") -> Any:
    path = folder / name
    path.write_text(text, "utf-8")
    return read_prompts(path)


def test_lines(tmp_path: Path) -> None:
    found = read(
        tmp_path, "# sounds\nglass breaking\nbell: a bell ringing\nbell: a chime\n\nagainst: silence\n"
    )
    assert found.named == {"glass breaking": ["glass breaking"], "bell": ["a bell ringing", "a chime"]}
    assert (found.against, found.options) == (["silence"], {})


def test_json(tmp_path: Path) -> None:
    said = {
        "prompts": {"glass": ["glass breaking", {"audio": "glass.wav"}], "fall": {"vector": [1, 2]}},
        "against": "silence", "on": 0.4, "score": "probability",
    }  # fmt: skip
    found = read(tmp_path, json.dumps(said), "p.json")
    assert found.named["glass"][0] == "glass breaking"
    assert found.named["glass"][1].src == tmp_path / "glass.wav"
    np.testing.assert_array_equal(found.named["fall"][0], [1, 2])
    assert (found.against, found.options) == (["silence"], {"on": 0.4, "score": "probability"})
    assert read(tmp_path, '{"bell": "a bell"}', "p.json").named == {"bell": ["a bell"]}


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("", "p.txt", "it has no prompts"),
        ("# nothing\n", "p.txt", "it has no prompts"),
        ("{", "p.json", "it is not JSON"),
        ("[1]", "p.json", "not a JSON object"),
        ("{}", "p.json", "not a JSON object"),
        ('{"prompts": {"a": "b"}, "onn": 1}', "p.json", "'onn' is no option"),
        ('{"a": 5}', "p.json", "5 is not a prompt"),
        ('{"a": {"smell": "x"}}', "p.json", "is not a prompt"),
        ('{"a": {"vector": "x"}}', "p.json", "not a list of numbers"),
    ],
)
def test_files_that_are_none(text: str, name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(bindrt.Error, match=message):
        read(tmp_path, text, name)
