"""Where the console scripts begin.

This package imports nothing of ours before it is asked to: imports take up to a second, in which a user may
stop the command, and that must not end in a traceback.
"""

from __future__ import annotations

import importlib
import signal
import threading
from collections.abc import Sequence


def start(module: str, argv: Sequence[str] | None = None) -> int:
    """Imports a command's module and runs its ``main``; the exit code.

    Ctrl-C while it imports ends the process as the signal does by default, without a word.
    """
    before = signal.getsignal(signal.SIGINT)
    alone = threading.current_thread() is threading.main_thread() and before is signal.default_int_handler
    if alone:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        run = importlib.import_module(module).main
    finally:
        if alone:
            signal.signal(signal.SIGINT, before)
    return int(run(argv))


def front() -> int:
    """``bindrt``."""
    return start("bindrt.commands.front")


def embed() -> int:
    """``bind-embed``."""
    return start("bindrt.commands.embed")


def search() -> int:
    """``bind-search``."""
    return start("bindrt.commands.search")


def bench() -> int:
    """``bind-bench``."""
    return start("bindrt.commands.bench")


def stream() -> int:
    """``bind-stream``."""
    return start("bindrt.commands.stream")


def serve() -> int:
    """``bind-serve``."""
    return start("bindrt.commands.serve")


def evaluate() -> int:
    """``bind-eval``."""
    return start("bindrt.commands.eval")


def probe() -> int:
    """``bind-probe``."""
    return start("bindrt.commands.probe")
