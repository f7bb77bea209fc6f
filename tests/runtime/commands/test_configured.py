"""Options from flags, the environment and a file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from bindrt.commands.configured import ConfiguredParser
from bindrt.commands.serve import PREFIX, main
from bindrt.commands.serve import parser as serve_parser
from bindrt.errors import OptionError


@pytest.fixture
def parser(monkeypatch: pytest.MonkeyPatch) -> ConfiguredParser:
    made = ConfiguredParser("TOY_", "toy", "THING ...", "Plays.", "a b")
    made.add("things", nargs="*", default=[])
    made.add_config()
    add = made.section("all kinds")
    add("--big-number", type=int, default=1)
    add("--share", type=float)
    add("--name", default="ann")
    add("--hosts", nargs="+", default=[])
    add("--loud", action="store_true")
    return made


def file(folder: Path, text: str) -> str:
    path = folder / "toy.toml"
    path.write_text(text)
    return str(path)


def test_flags_go_before_the_environment_and_that_before_the_file(
    parser: ConfiguredParser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = 'things = ["a"]\nbig-number = 2\nshare = 1\nhosts = "h"\nloud = false\n'
    words = ["--config", file(tmp_path, text)]
    found = parser.parse_intermixed_args(words)
    assert (found.things, found.big_number, found.share, found.hosts) == (["a"], 2, 1.0, ["h"])
    assert (found.name, found.loud, found.verbose) == ("ann", False, 0)
    monkeypatch.setenv("TOY_BIG_NUMBER", "3")
    monkeypatch.setenv("TOY_HOSTS", "x 'y z'")
    monkeypatch.setenv("TOY_LOUD", "yes")
    found = parser.parse_intermixed_args(words)
    assert (found.big_number, found.hosts, found.loud) == (3, ["x", "y z"], True)
    found = parser.parse_intermixed_args(["b", *words, "--big-number", "1", "--hosts", "k", "-v"])
    assert (found.things, found.big_number, found.hosts, found.verbose) == (["b"], 1, ["k"], 1)
    sources = {setting.name: setting.source for setting in found.settings}
    assert sources == {
        "things": "arguments", "big-number": "--big-number", "share": words[1], "name": "default",
        "hosts": "--hosts", "loud": "TOY_LOUD",
    }  # fmt: skip


def test_the_environment_may_name_the_file(
    parser: ConfiguredParser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_CONFIG", file(tmp_path, "big-number = 7"))
    assert parser.parse_intermixed_args([]).big_number == 7
    other = tmp_path / "other.toml"
    other.write_text("big-number = 8")
    assert parser.parse_intermixed_args(["--config", str(other)]).big_number == 8


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("big_number = 1", "big_number in .*: there is no such option; is it big-number"),
        ("[table]\na = 1", "table in .*: there is no such option; one of things, big-number"),
        ("verbose = 1", "verbose in .*: there is no such option"),
        ("config = 'x'", "config in .*: there is no such option"),
        ("big-number = 1.5", "big-number in .*: it is '1.5'; give a whole number"),
        ("big-number = [1, 2]", "it is a list; give one value"),
        ("share = 'much'", "it is 'much'; give a number"),
        ("name = true", "its value is True; give a text or a number"),
        ("name = 1979-05-27", "give a text or a number"),
        ("loud = 'yes'", "its value is 'yes'; give true or false"),
        ("loud =", "it cannot be read: "),
    ],
)
def test_a_wrong_file(parser: ConfiguredParser, tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        parser.parse_intermixed_args(["--config", file(tmp_path, text)])


@pytest.mark.parametrize(
    ("variable", "text", "said"),
    [
        ("TOY_BIG_NUMBR", "1", "TOY_BIG_NUMBR: there is no such option; is it TOY_BIG_NUMBER"),
        ("TOY_BIG_NUMBER", "", "TOY_BIG_NUMBER: it is ''; give a whole number"),
        ("TOY_LOUD", "loud", "it is 'loud'; give true or false"),
        ("TOY_HOSTS", "'a", "quote it as a shell does"),
        ("TOY_CONFIG", "/none.toml", "it cannot be read"),
    ],
)
def test_a_wrong_environment(
    parser: ConfiguredParser, monkeypatch: pytest.MonkeyPatch, variable: str, text: str, said: str
) -> None:
    monkeypatch.setenv(variable, text)
    with pytest.raises(OptionError, match=said):
        parser.parse_intermixed_args([])


def sample(action: argparse.Action) -> str:
    """A value of an option, as a text, that is not its default."""
    return "true" if action.nargs == 0 else {int: "7", float: "0.25"}.get(action.type, "a")  # type: ignore[call-overload]


def test_every_option_of_bind_serve_can_stand_in_all_three(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = serve_parser("bind-serve")
    own = ("verbose", "version", "check_config", "config", argparse.SUPPRESS)
    options = [action for action in made.options if action.dest not in own and action.option_strings]
    assert len(options) > 30
    flags, lines = ["tiny"], ["bundles = ['tiny']"]
    for action in options:
        text = sample(action)
        flags += [action.option_strings[0], *([] if action.nargs == 0 else [text])]
        lines.append(f"{action.dest.replace('_', '-')} = {text if text[0] in 't0123456789' else repr(text)}")
        monkeypatch.setenv(f"{PREFIX}{action.dest.upper()}", text)
    monkeypatch.setenv(f"{PREFIX}BUNDLES", "tiny")
    by_environment = made.parse_intermixed_args([])
    for action in (*options, argparse.Namespace(dest="bundles")):
        monkeypatch.delenv(f"{PREFIX}{action.dest.upper()}")
    by_flags = made.parse_intermixed_args(flags)
    by_file = made.parse_intermixed_args(["--config", file(tmp_path, "\n".join(lines))])
    for action in (*options, argparse.Namespace(dest="bundles", default=[])):
        value = getattr(by_flags, action.dest)
        assert value == getattr(by_environment, action.dest) == getattr(by_file, action.dest), action.dest
        assert value != action.default, action.dest


def test_check_config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = file(tmp_path, 'bundles = ["one=tiny", "two=tiny"]\nmax-body = 1_000\nweaviate-scales = true\n')
    assert main(["--config", config, "--check-config", "--port", "1"]) == 0
    told = capsys.readouterr().out
    for line in (
        f'bundles = ["one=tiny", "two=tiny"]  # {config}', f"max-body = 1000  # {config}",
        "port = 1  # --port", f"weaviate-scales = true  # {config}", "# index is not given",
        'host = "127.0.0.1"  # default',
    ):  # fmt: skip
        assert line in told.splitlines()
    again = file(tmp_path, told)  # what is printed is such a file itself
    assert main(["--config", again, "--check-config"]) == 0
    values = [line.partition("  # ")[0] for line in told.splitlines()]
    assert [line.partition("  # ")[0] for line in capsys.readouterr().out.splitlines()] == values


def test_check_config_finds_what_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words, said in (
        ([], "bundles: there is none"),
        (["none.bind"], "none.bind"),
        (["tiny", "--queue", "1"], "never fits into a queue of 1"),
        (["tiny", "--max-pixels", "-1"], "max_pixels"),
        (["tiny", "--tls-cert", "none.pem", "--tls-key", "none.pem"], "none.pem"),
        (["tiny", "--index", str(tmp_path / "none")], "none"),
    ):
        assert main([*words, "--check-config"]) in (1, 2), words
        found = capsys.readouterr()
        assert said in found.err
        assert found.out == ""


def test_a_text_of_toml(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Quotes and letters of other alphabets come back as they were."""
    name = 'a "b" ü\\'
    bundles = json.dumps([f"{name}=tiny"])
    assert main(["--config", file(tmp_path, f"bundles = {bundles}"), "--check-config"]) == 0
    assert capsys.readouterr().out.splitlines()[0].startswith('bundles = ["a \\"b\\" ü\\\\=tiny"]')
