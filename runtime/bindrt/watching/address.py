"""Where a page is served, and under which names browsers may ask for it."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from typing import NamedTuple

from bindrt.errors import OptionError

_LOOPBACK = "127.0.0.1"


class Address(NamedTuple):
    """A name or a number of this machine, and a port; 0 is any that is free."""

    host: str = _LOOPBACK
    port: int = 0

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        number = _number(self.host)
        return self.host.lower() == "localhost" if number is None else number.is_loopback

    @property
    def url(self) -> str:
        """What a browser is given: for all addresses of a machine, this machine's own name."""
        number = _number(self.host)
        host = socket.gethostname() if number is not None and number.is_unspecified else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"


def parse_address(text: str) -> Address:
    """``HOST:PORT``, ``PORT``, ``HOST``, ``[::1]:PORT`` or nothing.

    Raises:
        OptionError: it is none of these.

    >>> parse_address("8000"), parse_address("0.0.0.0:8000").host, parse_address("[::1]").port
    (Address(host='127.0.0.1', port=8000), '0.0.0.0', 0)
    """
    found = re.fullmatch(
        r"(?:(\[[0-9a-fA-F:.%\w]+\]|[\w.-]*[^\W\d][\w.-]*|\d+(?:\.\d+){3}):?)?(\d{1,5})?", text
    )
    if found is None or text.endswith(":") or not 0 <= int(found[2] or 0) <= 65535:
        raise OptionError(
            f"--serve {text}"[:80], "not HOST:PORT", "for example 8000, or 0.0.0.0:8000 for all who reach it"
        )
    return Address((found[1] or _LOOPBACK).strip("[]"), int(found[2] or 0))


def known_names(address: Address, further: Iterable[str] = ()) -> frozenset[str]:
    """The names under which browsers may ask for a page that is served at an address."""
    names = {"localhost", address.host.lower(), *(name.lower() for name in further)}
    if not address.is_loopback:
        own = socket.gethostname().lower()
        names |= {own, f"{own}.local"}
    return frozenset(names)


def is_known(header: str | None, names: Iterable[str]) -> bool:
    """Whether a request's ``Host`` is a known name, or an address in numbers.

    A site that lets its own name point at this machine, to read pages here in a visitor's browser, is known
    by that name. A number cannot be such a name.

    >>> [is_known(host, ["localhost"]) for host in ("localhost:8000", "127.0.0.1", "evil.example:80", None)]
    [True, True, False, False]
    """
    found = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::\d*)?", header or "")
    if found is None:
        return False
    host = found[1].lower().strip("[]")
    return host in names or _number(host) is not None


def _number(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
