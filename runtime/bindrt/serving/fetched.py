"""The answer of another server, as its bytes come."""

from __future__ import annotations

from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

#: Bytes of headers, and so many for each of the body: chunks have their lengths beside them.
_MOST_HEAD, _MOST_BESIDE = 1 << 16, 8


class Fetched:
    """An HTTP answer.

    Attributes:
        status: 0 until its headers are here; those before it, as 100, are passed over.
        headers: by their names in lower case.
        body: what has come of it.
        is_whole: whether all of it has come.

    >>> answer = Fetched()
    >>> answer.feed(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nhi")
    >>> answer.status, bytes(answer.body), answer.is_whole
    (200, b'hi', True)
    """

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.is_whole = False
        self._parser: Any = HttpResponseParser(self)
        self._fed = 0

    def feed(self, data: bytes) -> None:
        """More of it has come.

        Raises:
            ValueError: it is no HTTP, or has far more headers than contents.
        """
        self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if not self.is_whole:  # else it is what nobody asked for
                raise ValueError(f"its answer is no HTTP: {error}"[:100]) from None
        if self._fed - len(self.body) > _MOST_HEAD + _MOST_BESIDE * len(self.body):
            raise ValueError("its answer has too many headers")

    def end(self) -> None:
        """The connection has ended, which may be the end of the body.

        Raises:
            ValueError: the body has not come as a whole.
        """
        has_end = self.headers.keys() & {"content-length", "transfer-encoding"}
        self.is_whole = self.is_whole or bool(self.status and not has_end)
        if not self.is_whole:
            raise ValueError("its server ended before the file did")

    def let_go(self) -> None:
        """Nothing refers to itself any more: what it holds is free once nobody has it."""
        self._parser = None

    # what the parser tells

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.status:  # else it stands behind the body
            self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self.is_whole:
            return
        status = self._parser.get_status_code()
        if status >= 200:
            self.status = status
        else:
            self.headers.clear()

    def on_body(self, data: bytes) -> None:
        if not self.is_whole:
            self.body += data

    def on_message_complete(self) -> None:
        self.is_whole = self.status != 0
