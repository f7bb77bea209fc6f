"""What a line of a shell block in the documentation asks for, checked without running it."""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from support.commands import run_command
from support.pages import ROOT


def commands(code: str) -> Iterator[list[str]]:
    """The words of each command: without comments, one for each side of ``&&`` and ``|``."""
    for line in code.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while words:
            end = next((i for i, word in enumerate(words) if word in ("&&", "|")), len(words))
            yield words[:end]
            words = words[end + 1 :]


def problem(words: list[str]) -> str:
    """What is wrong with a command; empty if it is in order."""
    while re.match(r"[A-Z_]+=", words[0]):  # VARIABLE=value
        words = words[1:]
    first, rest = words[0], words[1:]
    if first.startswith("bind-"):
        return unknown_options((first,), rest)
    if first == "bindrt" or words[:3] == ["python", "-m", "bindrt"]:
        return unknown_subcommand(rest if first == "bindrt" else words[3:])
    if first == "eval":
        return problem(shlex.split(rest[0].removeprefix("$(").removesuffix(")")))
    if first == "make":
        return "" if any(target_of_make(word) for word in rest) else f"make has no target {rest}"
    if first == "pip":
        return unknown_extras(rest)
    if first == "python" and rest[0] == "-m":
        return "" if module_file(rest[1], rest[2:]) else f"there is no module {rest[1]}"
    if first == "python":
        return "" if (ROOT / rest[0]).is_file() else f"there is no file {rest[0]}"
    if first.endswith(".sh") and (ROOT / first).is_file():
        return ""
    return f"{first} is not a command of this project"


def unknown_options(command: tuple[str, ...], words: list[str]) -> str:
    known = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", help_of(command)))
    unknown = [w for w in words if re.match(r"--?[a-z]", w) and w.split("=")[0] not in known]
    return f"{' '.join(command)} --help does not know {unknown}" if unknown else ""


def unknown_subcommand(words: list[str]) -> str:
    if not words or words[0].startswith("-"):
        return unknown_options(("bindrt",), words)
    if not re.search(rf"^  {re.escape(words[0])} ", help_of(("bindrt",)), re.MULTILINE):
        return f"bindrt has no command {words[0]}"
    return unknown_options(("bindrt", words[0]), words[1:])


@functools.cache
def help_of(command: tuple[str, ...]) -> str:
    """The help of ``bind-NAME``, of ``bindrt NAME`` or of ``bindrt``."""
    if command[0] == "bindrt":
        return run_command("python", "-m", *command, "--help").stdout
    return run_command(*command, "--help").stdout


@functools.cache
def target_of_make(word: str) -> bool:
    return (
        re.search(rf"^{re.escape(word)}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE) is not None
    )


def unknown_extras(words: list[str]) -> str:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    extras = [x for word in words for found in re.findall(r"\[(.+)\]", word) for x in found.split(",")]
    unknown = [extra for extra in extras if not re.search(rf"^{extra} = \[", project, re.MULTILINE)]
    return f"there is no extra {unknown}" if unknown else ""


def module_file(module: str, rest: list[str]) -> Path | None:
    """The file of ``python -m MODULE``; for ``bench NAME`` one that mentions the name."""
    for root in (ROOT, ROOT / "runtime", ROOT / "export"):
        place = root / Path(*module.split("."))
        for path in (place / "__main__.py", place.with_suffix(".py")):
            if path.is_file():
                what = rest[0] if module == "bench" and rest and not rest[0].startswith("-") else ""
                return path if what in path.read_text("utf-8") else None
    return None
