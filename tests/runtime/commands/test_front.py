"""``bindrt``, and what all commands have in common: help, version, errors, exit codes, completion, Ctrl-C."""

from __future__ import annotations

import json
import logging
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

import bindrt
from bindrt.commands import completion, front
from bindrt.commands.registry import all_commands, find
from bindrt.commands.terminal import DONE, FAILED, PASSED_OVER, STOPPED, WRONG_USAGE, heard_log
from bindrt.errors import OptionError
from support.help_pages import FOLDER, NAMES, help_page, plain
from support.pages import ROOT

COMMANDS = {command.name: command for command in all_commands()}

#: Runs an entry with Ctrl-C pressed while bindrt itself is still being imported.
STOPPED_AT_ONCE = """
import os, signal, sys
class Finder:
    def find_spec(name, path=None, target=None):
        if name == "bindrt.model":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder)
import bindrt_cli
sys.exit(getattr(bindrt_cli, sys.argv.pop(1))())
"""


@pytest.mark.parametrize("name", NAMES)
def test_help_is_the_page_that_is_kept(name: str) -> None:
    kept = (FOLDER / f"{name}.txt").read_text("utf-8")
    assert plain(help_page(name)) == plain(kept), "PYTHONPATH=tests python -m support.help_pages renews it"


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_in_the_help_are_right(name: str) -> None:
    parser = COMMANDS[name].parser(f"bindrt {name}")
    lines = re.findall(rf"^  bindrt {name} ?(.*)$", (parser.epilog or ""), re.MULTILINE)
    assert lines
    for line in lines:
        parser.parse_intermixed_args(shlex.split(line))  # raises where it is wrong
    with pytest.raises(OptionError, match=r"--bogus.*--help lists the options"):
        parser.parse_intermixed_args([*shlex.split(lines[0]), "--bogus"])


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert front.main(["--version"]) == 0
    assert capsys.readouterr().out == f"bindrt {bindrt.__version__}\n"
    for command in COMMANDS.values():
        with pytest.raises(SystemExit) as ended:
            command.main(["--version"], f"bindrt {command.name}")
        assert ended.value.code == 0
        assert capsys.readouterr().out == f"bindrt {command.name} {bindrt.__version__}\n"


def test_commands_of_other_packages_are_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert find("export").name == "export"
    assert front.main([]) == 0
    assert re.search(r"^  export +\w", capsys.readouterr().out, re.MULTILINE)
    assert front.main(["export"]) == 2
    assert "no checkpoint given" in capsys.readouterr().err


def test_unknown_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert front.main(["serch"]) == 2
    assert "'serch': there is no such command; one of bench, completion" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "item"),
    [
        (("search", "--json"), 2, ""),
        (("search", "none.index", "--text", "a", "--json"), 1, "none.index"),
        (("search", "none.index", "--json", "--text", "a", "-k", "x"), 2, "-k"),
        (("doctor", "--json", "--bogus"), 2, ""),
        (("export", "random:0", "--json"), 2, "bind-export"),
    ],
)
def test_with_json_an_error_is_json_too(
    arguments: tuple[str, ...], code: int, item: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert front.main(arguments) == code
    said = capsys.readouterr()
    result = json.loads(said.out)
    assert result["ok"] is False
    assert result["error"]["item"] == item
    assert result["error"]["problem"] in said.err


def test_verbose_says_what_is_decided(capsys: pytest.CaptureFixture[str]) -> None:
    for options, told in ((["-v"], True), ([], False)):
        assert front.main(["embed", "tiny", "--text", "a bell ringing", *options]) == 0
        said = capsys.readouterr()
        assert len(said.out.splitlines()) == 1
        assert bool(re.search(r"tiny\.bind text: \w+ fp32 on cpu, opened in ", said.err)) is told


def test_warnings_are_shown_and_the_logger_is_left_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("bindrt")
    before = [*log.handlers], log.level
    with heard_log(Console(stderr=True), 0):
        log.getChild("engines").warning("[red] one %s", "thing")
        log.getChild("engines").info("too much")
        log.getChild("selection.auto").info("measuring")
    assert capsys.readouterr().err == "[red] one thing\nmeasuring\n"
    assert ([*log.handlers], log.level) == before


def test_a_defect_is_told_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    with heard_log(Console(stderr=True), 0):
        try:
            raise ValueError("[red] a defect")
        except ValueError as error:
            logging.getLogger("bindrt.serving").error("it failed", exc_info=error)
    said = capsys.readouterr().err.splitlines()
    assert said[:2] == ["it failed", "Traceback (most recent call last):"]
    assert said[-1] == "ValueError: [red] a defect"


def test_exit_codes_are_those_of_the_table() -> None:
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)] == [
        DONE, FAILED, WRONG_USAGE, PASSED_OVER, STOPPED,
    ]  # fmt: skip


@pytest.mark.parametrize("entry", ["front", "embed", "search", "bench"])
def test_ctrl_c_while_it_imports(entry: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STOPPED_AT_ONCE, entry, "x"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode < 0 or done.returncode == 130
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("bindrt em", "embed"),
        ("bindrt embed --on-error ", "raise skip"),
        ("bind-embed --moda", "--modality"),
        ("bind-search x.index --only th", "thermal"),
        ("bind-search x.ind", ""),
    ],
)
def test_completion_in_bash(line: str, expected: str, tmp_path: Path) -> None:
    script = tmp_path / "completion.bash"
    script.write_text(completion.bash(all_commands()))
    words = [*shlex.split(line), *([""] if line.endswith(" ") else [])]
    asked = f"source {script}; COMP_WORDS=({shlex.join(words)}); COMP_CWORD={len(words) - 1}; _bindrt"
    done = subprocess.run(
        ["bash", "-c", f'{asked}; echo "${{COMPREPLY[@]}}"'], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == expected
    assert not done.stderr


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_completion_for_each_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert front.main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for name in COMMANDS:
        assert name in script
    assert ("-l on-error -x -a 'raise skip'" if shell == "fish" else "--on-error") in script
