"""Who may ask: keys that are compared in a time that tells nothing about them."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from hashlib import sha256

from bindrt.serving.faults import Fault


class Keys:
    """The keys of a server; without any, everybody may ask."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._digests = [sha256(key.encode()).digest() for key in keys]

    def require(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Raises Fault unless one of the headers of a request gives a key."""
        if self._digests and not any(self._is_known(key) for key in _given(headers)):
            raise Fault(
                401,
                "the API key is missing or wrong; send Authorization: Bearer KEY",
                "WrongKey",
                {"www-authenticate": "Bearer"},
            )

    def _is_known(self, key: bytes) -> bool:
        """Whether it is one of ours. All are looked at, and digests have one length."""
        digest = sha256(key).digest()
        return sum(hmac.compare_digest(digest, ours) for ours in self._digests) > 0


def _given(headers: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    found = []
    for name, value in headers:
        if name == b"x-api-key":
            found.append(value)
        elif name == b"authorization":
            scheme, _, key = value.partition(b" ")
            if scheme.lower() == b"bearer":
                found.append(key.strip())
    return found
