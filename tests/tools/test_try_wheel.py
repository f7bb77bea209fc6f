"""What tools/try_wheel.py runs exists; `make wheel` runs it."""

from __future__ import annotations

import ast

import try_wheel


def test_first_lines_of_the_readme() -> None:
    text = try_wheel.first_lines()
    ast.parse(text)
    assert 'bindrt.load("tiny")' in text


def test_commands_are_those_that_we_install() -> None:
    project = (try_wheel.ROOT / "pyproject.toml").read_text()
    installed = {name for name, *_ in try_wheel.COMMANDS} - {"python"}
    assert len(installed) == 4
    assert all(f"\n{name} = " in project for name in installed)


def test_left_out_tests_exist() -> None:
    *folders, _, left_out = try_wheel.TESTS
    assert (try_wheel.ROOT / left_out).is_file()
    assert all((try_wheel.ROOT / folder).is_dir() for folder in folders)
