"""Files behind URLs that a client names: only from hosts that were allowed, and never from inside a network.

The address that is checked is the one that is connected to, so that a name cannot point elsewhere in between.
Each redirect is checked as the first URL was.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import SplitResult, urljoin, urlsplit

from bindrt.errors import Error, InputError, LimitError, OptionError, SourceError
from bindrt.serving.fetched import Fetched

_PORTS = {"http": 80, "https": 443}
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 3
_AT_ONCE = 64
_LOOKUPS = 16
_PIECE = 1 << 16
_HEAD = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: bindrt\r\nAccept: */*\r\n"
    "Accept-Encoding: identity\r\nConnection: close\r\n\r\n"
)
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(each) for each in text.split())


#: IPv6 addresses of the Internet. What stands for an IPv4 address behind a translator is outside of it.
_GLOBAL = ipaddress.IPv6Network("2000::/3")
#: What IANA's registries of special-purpose addresses keep from the Internet, or made for translators and
#: tunnels. They stand here since what Python's ``is_global`` knows of them depends on its version.
_SPECIAL = _networks(
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 "
    "192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 "
    "2001::/23 2001:db8::/32 2002::/16 3fff::/20"
)


def is_public(address: Address) -> bool:
    """Whether an address is of the Internet, and not of this machine, a private network or a group.

    >>> is_public(ipaddress.ip_address("127.0.0.1")), is_public(ipaddress.ip_address("169.254.169.254"))
    (False, False)
    """
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        return is_public(mapped)
    if address.version == 6 and address not in _GLOBAL:
        return False
    return not any(address in network for network in _SPECIAL)


class Allowed:
    """What may be fetched: ``example.org``, ``*.example.org``, ``example.org:8000``, ``https://example.org``.

    Raises:
        OptionError: an entry is none of these.
    """

    def __init__(self, entries: Sequence[str]) -> None:
        self._entries = [self._read(entry) for entry in entries]

    @staticmethod
    def _read(entry: str) -> tuple[str, str, int | None]:
        """Scheme or empty, host, port or None."""
        parts = urlsplit(entry if "://" in entry else f"//{entry}")
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        plain = not (parts.path or parts.query or parts.fragment or parts.username)
        if not host or not plain or parts.scheme not in ("", *_PORTS) or "*" in host.removeprefix("*."):
            raise OptionError(
                f"fetch_urls: {entry!r}"[:100], "it names no host", "for example images.example.org"
            )
        return parts.scheme, host, port

    def has(self, scheme: str, host: str, port: int) -> bool:
        """Whether a URL's host is one of these."""
        return any(
            own_scheme in ("", scheme)
            and (own_port or _PORTS[scheme]) == port
            and (host.endswith(own_host[1:]) if own_host.startswith("*.") else host == own_host)
            for own_scheme, own_host, own_port in self._entries
        )


class Fetcher:
    """Fetches files for clients. For one event loop.

    Args:
        allowed: hosts, as :class:`Allowed` takes them.
        is_allowed: which addresses may be connected to.
        tls: how the certificates of ``https`` are checked; None: by those of the system.
    """

    def __init__(
        self,
        allowed: Sequence[str],
        is_allowed: Callable[[Address], bool] = is_public,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._allowed = Allowed(allowed)
        self._is_allowed = is_allowed
        self._tls = tls or ssl.create_default_context()
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._lookups = ThreadPoolExecutor(_LOOKUPS, "bindrt-lookup")

    async def fetch(
        self, url: str, place: str, most: int, seconds: float, hold: Callable[[int], None]
    ) -> bytes:
        """The file behind a URL. When its task is cancelled, its connection ends.

        Args:
            place: what to call it in errors.
            most: bytes that it may have.
            seconds: in which it must have come, redirects and waiting for others included.
            hold: is told of bytes as they come; what it raises ends the fetching.

        Raises:
            InputError: the URL is not allowed, or is none.
            SourceError: it cannot be fetched.
            LimitError: it is too large.
            asyncio.TimeoutError: it took too long.
        """
        return await asyncio.wait_for(self._in_turn(url, place, most, hold), max(seconds, 0.0))

    def close(self) -> None:
        self._lookups.shutdown(wait=False, cancel_futures=True)

    async def _in_turn(self, url: str, place: str, most: int, hold: Callable[[int], None]) -> bytes:
        async with self._room:
            for _ in range(_MOST_REDIRECTS + 1):
                parts, port = self._checked(url, place)
                try:
                    answer = await self._answer(parts, port, place, most, hold)
                except Error:
                    raise
                except (OSError, ValueError) as error:
                    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
                    raise unreachable(place, reason) from None
                if answer.status not in _REDIRECTS:
                    return bytes(answer.body)
                url = urljoin(url, answer.headers.get("location", ""))
        raise SourceError(place, f"it redirects more than {_MOST_REDIRECTS} times", "give the last URL")

    def _checked(self, url: str, place: str) -> tuple[SplitResult, int]:
        """A URL whose host is allowed, and its port."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme, 0)
        except ValueError:
            host, port = None, 0
            parts = urlsplit("")
        safe = url.isascii() and url.isprintable() and " " not in url
        if not safe or not host or parts.scheme not in _PORTS or parts.username is not None:
            raise InputError(place, "it is no http or https URL", "quote what is not ASCII, leave out a user")
        if not self._allowed.has(parts.scheme, host, port):
            raise InputError(
                place, f"this server does not fetch from {host[:80]}:{port}", "send the file as a data: URI"
            )
        return parts, port

    async def _answer(
        self, parts: SplitResult, port: int, place: str, most: int, hold: Callable[[int], None]
    ) -> Fetched:
        """The answer to a URL: a whole file, or a redirect."""
        host = parts.hostname or ""
        address = await self._address(host, port, place)
        tls, name = (self._tls, host) if parts.scheme == "https" else (None, None)
        reader, writer = await asyncio.open_connection(address, port, ssl=tls, server_hostname=name)
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            writer.write(_HEAD.format(path=path, host=parts.netloc).encode("ascii"))
            return await _read(reader, place, most, hold)
        finally:
            writer.transport.abort()

    async def _address(self, host: str, port: int, place: str) -> str:
        """An address of a host, all of whose addresses may be connected to."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._lookups, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        addresses = [str(info[4][0]) for info in found]
        if not all(self._is_allowed(ipaddress.ip_address(each.partition("%")[0])) for each in addresses):
            raise InputError(place, f"{host[:80]} is inside a network", "send the file as a data: URI")
        return addresses[0]


async def _read(reader: asyncio.StreamReader, place: str, most: int, hold: Callable[[int], None]) -> Fetched:
    """An answer as it comes.

    Raises:
        ValueError: it is no HTTP, or ends too early.
        SourceError: it is neither a file nor a redirect.
        LimitError: it is too large.
    """
    answer, held = Fetched(), 0
    try:
        while not answer.is_whole:
            piece = await reader.read(_PIECE)
            if piece:
                answer.feed(piece)
            else:
                answer.end()
            if answer.status in _REDIRECTS:
                break
            if answer.status not in (0, 200):
                raise SourceError(place, f"its server answered {answer.status}", "check the URL")
            if max(len(answer.body), _length(answer)) > most:
                raise LimitError(place, f"it has more than {most} bytes", "send a smaller file")
            hold(len(answer.body) - held)
            held = len(answer.body)
        return answer
    finally:
        answer.let_go()


def _length(answer: Fetched) -> int:
    """The bytes that the body has by its own account."""
    said = answer.headers.get("content-length", "")
    return int(said) if said.isdecimal() and len(said) < 20 else 0


def unreachable(place: str, reason: str) -> SourceError:
    return SourceError(place, f"the URL cannot be fetched: {reason}", "check it, or send the file itself")
