"""Files behind URLs that a client names: only from hosts that were allowed, and never from inside a network.

The address that is checked is the one that is connected to, so that a name cannot point elsewhere in between.
Each redirect is checked as the first URL was.
"""

from __future__ import annotations

import asyncio
import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import SplitResult, urljoin, urlsplit

from bindrt.errors import Error, InputError, LimitError, OptionError, SourceError

_PORTS = {"http": 80, "https": 443}
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 3
_AT_ONCE = 16
_PIECE = 1 << 16
#: Addresses that stand for IPv4 addresses of a network behind: NAT64, 6to4.
_TRANSLATED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("2002::/16"))
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public(address: Address) -> bool:
    """Whether an address is of the Internet, and not of this machine, a private network or a group.

    >>> is_public(ipaddress.ip_address("127.0.0.1")), is_public(ipaddress.ip_address("169.254.169.254"))
    (False, False)
    """
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        return is_public(mapped)
    translated = address.version == 6 and any(address in network for network in _TRANSLATED)
    return address.is_global and not address.is_multicast and not translated


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
    """Fetches files for clients.

    Args:
        allowed: hosts, as :class:`Allowed` takes them.
        seconds: in which a file must have come, redirects included.
        is_allowed: which addresses may be connected to.
        tls: how the certificates of ``https`` are checked; None: by those of the system.
    """

    def __init__(
        self,
        allowed: Sequence[str],
        seconds: float,
        is_allowed: Callable[[Address], bool] = is_public,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._allowed = Allowed(allowed)
        self._seconds = seconds
        self._is_allowed = is_allowed
        self._tls = tls
        self._threads = ThreadPoolExecutor(_AT_ONCE, "bindrt-fetch")

    async def fetch(self, url: str, place: str, most: int) -> bytes:
        """The file behind a URL.

        Args:
            place: what to call it in errors.
            most: bytes that it may have.

        Raises:
            InputError: the URL is not allowed, or is none.
            SourceError: it cannot be fetched.
            LimitError: it is too large.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._fetch, url, place, most)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _fetch(self, url: str, place: str, most: int) -> bytes:
        end = time.monotonic() + self._seconds
        for _ in range(_MOST_REDIRECTS + 1):
            parts, port = self._checked(url, place)
            connection = self._connect(parts, port, place, end)
            try:
                with_query = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                connection.request("GET", with_query, headers={"User-Agent": "bindrt", "Accept": "*/*"})
                answer = connection.getresponse()
                if answer.status in _REDIRECTS:
                    url = urljoin(url, answer.headers.get("Location", ""))
                    continue
                if answer.status != 200:
                    raise SourceError(place, f"its server answered {answer.status}", "check the URL")
                return self._read(answer, connection, place, most, end)
            except Error:
                raise
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise _unreachable(place, error) from None
            finally:
                connection.close()
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

    def _connect(self, parts: SplitResult, port: int, place: str, end: float) -> http.client.HTTPConnection:
        """A connection to an address of the host that was checked."""
        host = parts.hostname or ""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise _unreachable(place, error) from None
        addresses = [info[4][0] for info in found]
        if not all(self._is_allowed(ipaddress.ip_address(str(a).partition("%")[0])) for a in addresses):
            raise InputError(place, f"{host[:80]} is inside a network", "send the file as a data: URI")
        try:
            plain = socket.create_connection((str(addresses[0]), port), timeout=_left(end))
        except OSError as error:
            raise _unreachable(place, error) from None
        connection = http.client.HTTPConnection(host, port, timeout=_left(end))
        connection.sock = plain
        if parts.scheme == "https":
            try:
                tls = self._tls or ssl.create_default_context()
                connection.sock = tls.wrap_socket(plain, server_hostname=host)
            except (OSError, ValueError) as error:
                plain.close()
                raise _unreachable(place, error) from None
        return connection

    @staticmethod
    def _read(
        answer: http.client.HTTPResponse,
        connection: http.client.HTTPConnection,
        place: str,
        most: int,
        end: float,
    ) -> bytes:
        found = bytearray()
        while True:
            if connection.sock is not None:
                connection.sock.settimeout(_left(end))
            piece = answer.read1(_PIECE)
            if not piece:
                break
            found += piece
            if len(found) > most:
                raise LimitError(place, f"it has more than {most} bytes", "send a smaller file")
        if answer.length:
            raise SourceError(place, "its server ended before the file did", "try again")
        return bytes(found)


def _left(end: float) -> float:
    """Seconds until then.

    Raises:
        TimeoutError: it is past.
    """
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError("it took too long")
    return left


def _unreachable(place: str, error: Exception) -> SourceError:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return SourceError(place, f"the URL cannot be fetched: {reason}", "check it, or send the file itself")
