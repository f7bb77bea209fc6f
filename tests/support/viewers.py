"""Viewers of a page without a browser."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

#: Seconds after which a test gives up; nothing takes so long.
PATIENCE = 60


def ask(url: str, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """One request: the status, the headers and the body."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


class Viewer:
    """Somebody who watches a page: its messages, one after the other."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
        self._connection.request("GET", "/messages")
        self._answer = self._connection.getresponse()
        self.status = self._answer.status

    def messages(self) -> Iterator[dict[str, Any]]:
        for line in self._answer:
            if line.startswith(b"data: "):
                yield json.loads(line[6:])

    def until(self, is_there: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next message of which that holds."""
        return next(message for message in self.messages() if is_there(message))

    def close(self) -> None:
        self._answer.close()
        self._connection.close()

    def __enter__(self) -> Viewer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def becomes(is_so: Callable[[], bool]) -> bool:
    """Whether something becomes true; looked at again and again, for as long as a test may take."""
    until = time.monotonic() + PATIENCE
    while not (found := is_so()) and time.monotonic() < until:
        time.sleep(0.02)
    return found
