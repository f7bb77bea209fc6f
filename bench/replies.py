"""The child's end of :mod:`bindrt.benchmark.json_process`, for processes that do not import bindrt.

Some run in environments where bindrt is not installed; of others the memory is measured, and bindrt must not
be in it. So this module needs the standard library only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any


def open_replies() -> Callable[[dict[str, Any]], None]:
    """The function that sends a reply; what libraries print goes to the standard error from now on."""
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def send(reply: dict[str, Any]) -> None:
        stream.write(json.dumps(reply) + "\n")
        stream.flush()

    return send
