"""What the console scripts say when something is wrong."""

from __future__ import annotations

from rich.console import Console

from bindrt.errors import Error


def complain(console: Console, command: str, error: Error) -> None:
    """One line, without a traceback; names in it are never taken for markup."""
    console.print(f"[red]{command}:[/]", end=" ")
    console.print(str(error), highlight=False, soft_wrap=True, markup=False, emoji=False)


def system_error(what: object, error: OSError) -> Error:
    """What the operating system refused, as an error of ours."""
    where = error.filename if error.filename is not None else what
    return Error(
        str(where), f"it cannot be written ({error.strerror})", "check the path, rights and free space"
    )
