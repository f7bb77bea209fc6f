"""The entry of ``bind-export``. Its imports take a second, in which it may be stopped."""

from __future__ import annotations

import signal
import threading


def main(argv: list[str] | None = None) -> int:
    """Run the command; 0: done, 1: an error or a failed check, 2: wrong usage, 130: stopped."""
    before = signal.getsignal(signal.SIGINT)
    alone = threading.current_thread() is threading.main_thread() and before is signal.default_int_handler
    if alone:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # nothing has begun: end without a traceback
    try:
        from bindrt_export.command import main as run
    finally:
        if alone:
            signal.signal(signal.SIGINT, before)
    return run(argv)
