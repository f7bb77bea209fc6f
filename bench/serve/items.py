"""What is sent: files of the usual sizes, and the same as requests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bindrt.benchmark.made_inputs import make

MODALITIES = ("image", "audio", "text")
#: Items of a request, in the measurements of throughput.
BATCH = 64
_BOUNDARY = "bindrt-bench-boundary"


def items(folder: Path) -> dict[str, list[Any]]:
    """By modality some different items: contents of files, and texts."""
    made = make(MODALITIES, folder)
    return {m: [text if m == "text" else Path(text).read_bytes() for text in made[m]] for m in MODALITIES}


def batch(of: list[Any], count: int) -> list[Any]:
    """So many items, in turns."""
    return [of[i % len(of)] for i in range(count)]


def request(modality: str, given: list[Any], host: str) -> bytes:
    """A whole request of HTTP/1.1, as bytes."""
    if modality == "text":
        route, kind = "/v1/embeddings", "application/json"
        body = json.dumps({"input": given, "encoding_format": "base64"}).encode()
    else:
        route, kind = "/v1/embed", f"multipart/form-data; boundary={_BOUNDARY}"
        parts = [_part('name="encoding_format"', b"base64")]
        parts += [_part(f'name="{modality}"; filename="item"', content) for content in given]
        body = b"".join([*parts, f"--{_BOUNDARY}--\r\n".encode()])
    return head(route, host, {"Content-Type": kind, "Content-Length": str(len(body))}) + body


def head(route: str, host: str, headers: dict[str, str]) -> bytes:
    """The lines of a request before its body."""
    lines = [
        f"POST {route} HTTP/1.1",
        *(f"{name}: {text}" for name, text in {"Host": host, **headers}.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def _part(about: str, content: bytes) -> bytes:
    return f"--{_BOUNDARY}\r\nContent-Disposition: form-data; {about}\r\n\r\n".encode() + content + b"\r\n"
