"""Where a page is served, and who may ask for it."""

from __future__ import annotations

import socket

import pytest

from bindrt.errors import OptionError
from bindrt.watching.address import Address, is_known, known_names, parse_address


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("", "127.0.0.1", 0),
        ("8000", "127.0.0.1", 8000),
        ("0", "127.0.0.1", 0),
        ("localhost", "localhost", 0),
        ("robot-7.local:80", "robot-7.local", 80),
        ("0.0.0.0:65535", "0.0.0.0", 65535),
        ("192.168.1.5", "192.168.1.5", 0),
        ("[::1]:8000", "::1", 8000),
        ("[::]", "::", 0),
    ],
)
def test_addresses(text: str, host: str, port: int) -> None:
    assert parse_address(text) == Address(host, port)


@pytest.mark.parametrize(
    "text", ["65536", ":8000", "host:", "host:http", "a b", "::1", "http://x", "1.2.3:x", "-1"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(OptionError, match="not HOST:PORT"):
        parse_address(text)


def test_urls() -> None:
    assert Address("127.0.0.1", 80).url == "http://127.0.0.1:80/"
    assert Address("::1", 80).url == "http://[::1]:80/"
    assert Address("0.0.0.0", 80).url == f"http://{socket.gethostname()}:80/"


@pytest.mark.parametrize(
    "header", ["127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]:8000", "10.0.0.7:80", "robot.example:80"]
)
def test_known_hosts(header: str) -> None:
    assert is_known(header, known_names(Address("127.0.0.1"), ["Robot.example"]))


@pytest.mark.parametrize(
    "header", [None, "", "evil.example", "evil.example:8000", "localhost.evil.example",
    "127.0.0.1.evil.example",
               "a:b", "[::1", "127.0.0.1:80:80"]
)  # fmt: skip
def test_strange_hosts(header: str | None) -> None:
    assert not is_known(header, known_names(Address("127.0.0.1")))


def test_the_machines_own_name_is_known_where_others_can_watch() -> None:
    own = socket.gethostname()
    assert is_known(own, known_names(Address("0.0.0.0")))
    assert is_known(f"{own}.local:80", known_names(Address("0.0.0.0")))
    assert is_known(own, known_names(Address("127.0.0.1"))) == (own.lower() == "localhost")
