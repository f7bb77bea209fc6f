"""``bindrt completion SHELL``: a script with which a shell completes the commands and their options."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator, Sequence

from rich.console import Console

from bindrt.commands.registry import all_commands
from bindrt.commands.terminal import Command, CommandParser

#: The words before the one at hand decide; without an answer bash completes the names of files.
BASH = """\
_bindrt() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} command=${{COMP_WORDS[0]##*/}}
  if [[ $command == bindrt ]]; then
    if ((COMP_CWORD == 1)); then
      COMPREPLY=($(compgen -W {names} -- "$word"))
      return
    fi
    command=bind-${{COMP_WORDS[1]}}
  fi
  case "$command $before" in
{values}
  esac
  [[ $word == -* ]] || return
  case $command in
{options}
  esac
}}
complete -o default -F _bindrt bindrt {scripts}"""
#: zsh reads bash's scripts.
ZSH = "autoload -Uz compinit bashcompinit && compinit && bashcompinit\n"
SHELLS = ("bash", "zsh", "fish")


def parser(prog: str) -> CommandParser:
    p = CommandParser(
        prog,
        "bash|zsh|fish",
        "Print a script with which the shell completes the commands and their options. For bash and zsh put "
        'eval "$(bindrt completion bash)" into ~/.bashrc or ~/.zshrc, with the name of the shell; for fish '
        "write the script to ~/.config/fish/completions/bindrt.fish.",
        "bash",
    )
    p.add("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    return p


def run(args: argparse.Namespace, console: Console) -> None:
    commands = all_commands()
    if args.shell == "fish":
        print("\n".join(line for command in commands for line in fish(command)))
    else:
        print(("" if args.shell == "bash" else ZSH) + bash(commands))


def bash(commands: Sequence[Command]) -> str:
    values, options = [], []
    for command in commands:
        for action in options_of(command):
            if action.choices:
                pattern = "|".join(f'"{script(command)} {name}"' for name in action.option_strings)
                values.append(f"    {pattern}) {reply(action.choices)}; return ;;")
        names = [name for action in options_of(command) for name in action.option_strings]
        options.append(f"    {script(command)}) {reply(['--help', *names])} ;;")
    return BASH.format(
        names=shlex.quote(" ".join(command.name for command in commands)),
        values="\n".join(values),
        options="\n".join(options),
        scripts=" ".join(script(command) for command in commands),
    )


def reply(words: object) -> str:
    return f'COMPREPLY=($(compgen -W {shlex.quote(" ".join(map(str, words)))} -- "$word"))'  # type: ignore[call-overload]


def fish(command: Command) -> Iterator[str]:
    """A line for the command, and for each of its options, as ``bindrt NAME`` and as ``bind-NAME``."""
    first = "test (count (commandline -opc)) -eq 1"
    yield f"complete -c bindrt -f -n '{first}' -a {command.name} -d {shlex.quote(command.summary)}"
    for to in (f"bindrt -n '__fish_seen_subcommand_from {command.name}'", script(command)):
        for action in options_of(command):
            words = [f"-{'s' if len(n) == 2 else 'l'} {n.lstrip('-')}" for n in action.option_strings]
            takes = f" -x -a {shlex.quote(' '.join(map(str, action.choices)))}" if action.choices else ""
            told = shlex.quote((action.help or "").replace("%%", "%"))
            yield f"complete -c {to} {' '.join(words)}{takes} -d {told}"


def options_of(command: Command) -> list[argparse.Action]:
    return [action for action in command.parser(script(command)).options if action.option_strings]


def script(command: Command) -> str:
    return f"bind-{command.name}"


COMMAND = Command("completion", "complete commands and options in a shell", parser, run)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    return COMMAND.main(argv, "bindrt completion")
