"""``multipart/form-data``: the parts of an upload, in memory, within the limits of a body."""

from __future__ import annotations

from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from bindrt.errors import LimitError
from bindrt.serving.faults import Fault

#: Bytes from which a piece stays where it came, in its chunk of the body. Smaller ones are put together: an
#: object for each would take more memory than the body, where it comes in tiny chunks.
_LARGE = 4096


@dataclass
class FormPart:
    """One part of an upload.

    Attributes:
        name: of its field.
        kind: its content type; empty if it has none.
        is_file: whether it has the name of a file.
        size: bytes of its contents.
    """

    name: str = ""
    kind: str = ""
    is_file: bool = False
    size: int = 0
    _pieces: list[bytes | memoryview | bytearray] = field(default_factory=list)

    def add(self, chunk: bytes, start: int, end: int) -> None:
        """More of its contents: a piece of a chunk."""
        piece = memoryview(chunk)[start:end]
        self.size += len(piece)
        if len(piece) >= _LARGE:
            self._pieces.append(piece)
        elif self._pieces and isinstance(last := self._pieces[-1], bytearray):
            last += piece
        else:
            self._pieces.append(bytearray(piece))

    def end(self) -> None:
        """It is whole. Its pieces become one, so that the memory of chunks is free for those that follow."""
        self._pieces = [b"".join(self._pieces)]

    def take(self) -> bytes:
        """Its contents, which it then has no more: a file is in memory once."""
        pieces, self._pieces, self.size = self._pieces, [], 0
        return b"".join(pieces)

    @property
    def text(self) -> str:
        """Its contents as a text; bytes that are none become U+FFFD."""
        return b"".join(self._pieces).decode("utf-8", "replace")


async def form_parts(request: Request, most: int) -> list[FormPart]:
    """The parts of a request's body, in their order.

    Args:
        most: so many parts are read.

    Raises:
        Fault: it is no form, it is damaged, or it ends too early.
        LimitError: it has more parts.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data" or b"boundary" not in options:
        raise Fault(
            415, "the body: it is not multipart/form-data with a boundary; curl -F sends it", "NotAForm"
        )
    collector = _Collector(most)
    problem = collector.begin_with(options[b"boundary"])
    async for chunk in request.stream():  # to its end: whoever is sending reads no answer yet
        problem = problem or collector.take(chunk)
    collector.end_parser()
    if problem is not None:
        raise problem
    if not collector.is_whole:
        raise Fault(400, "the body: the form ends too early; its last boundary is missing", "DamagedForm")
    return collector.parts


class _Collector:
    """Takes what the parser finds."""

    def __init__(self, most: int) -> None:
        self.parts: list[FormPart] = []
        self.is_whole = False
        self._most = most
        self._name = self._value = b""
        self._disposition = self._kind = b""
        self._parser: MultipartParser | None = None

    def begin_with(self, boundary: bytes) -> Exception | None:
        """What is wrong with the boundary; None if nothing is."""
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self.begin,
                    "on_header_field": self.add_name,
                    "on_header_value": self.add_value,
                    "on_header_end": self.end_header,
                    "on_headers_finished": self.end_headers,
                    "on_part_data": self.add_data,
                    "on_part_end": self.end_part,
                    "on_end": self.end,
                },
            )
        except FormParserError as error:
            return _damaged(error)
        return None

    def take(self, chunk: bytes) -> Exception | None:
        """Reads a piece of the body. What is wrong with it; None if nothing is."""
        assert self._parser is not None
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            return _damaged(error)
        except (Fault, LimitError) as error:
            return error
        return None

    def end_parser(self) -> None:
        """There is nothing more to read. It refers to this object, which so would stay in memory for long."""
        self._parser = None

    def begin(self) -> None:
        if len(self.parts) == self._most:
            raise LimitError("the form", f"it has more than {self._most} parts", "send several requests")
        self.parts.append(FormPart())
        self._disposition = self._kind = b""

    def add_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def end_header(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        elif self._name.lower() == b"content-type":
            self._kind = self._value
        self._name = self._value = b""

    def end_headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"name" not in options:
            raise Fault(400, f"part {len(self.parts)} of the form: it has no name", "DamagedForm")
        part = self.parts[-1]
        part.name = options[b"name"].decode("utf-8", "replace")
        part.is_file = b"filename" in options
        part.kind = self._kind.decode("latin-1").strip().lower()

    def add_data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].add(data, start, end)

    def end_part(self) -> None:
        self.parts[-1].end()

    def end(self) -> None:
        self.is_whole = True


def _damaged(error: FormParserError) -> Fault:
    return Fault(400, f"the body: it is not a form: {error}", "DamagedForm")
