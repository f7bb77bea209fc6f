"""The page's server: who gets what, who is refused, and that nobody waits for a viewer."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

import bindrt
from bindrt.errors import ClosedError, InputError, OptionError
from bindrt.monitoring import Event
from bindrt.watching import Page, server
from bindrt.watching.request import Request
from support.viewers import PATIENCE, Viewer, ask, becomes

BELL = Event("bell", 1.0, 3.0, 2.0, 0.5)


def window(end: float, **more: Any) -> Any:
    return SimpleNamespace(start=end - 2, end=end, **more)


@pytest.fixture
def page() -> Iterator[Page]:
    with Page("a page") as made:
        yield made


def test_the_files_of_the_page(page: Page) -> None:
    status, headers, body = ask(page.url, "/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    for path in re.findall(r'(?:src|href)="([^"]+)"', body.decode()):
        status, headers, inside = ask(page.url, path)
        assert status == 200
        assert inside
        assert ask(page.url, path, "HEAD")[2] == b""
    assert "http" not in re.sub(r"http://www\.w3\.org/\S+", "", ask(page.url, "/page.js")[2].decode())


def test_every_answer_says_what_browsers_may_do_with_it(page: Page) -> None:
    page.show("camera", bindrt.Image(np.zeros((8, 8, 3), np.uint8)))
    for path in ("/", "/page.js", "/picture/0", "/none"):
        headers = ask(page.url, path)[1]
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; ")
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"
        assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize(
    "path", ["/none", "/../page.py", "/site/page.js", "//page.js/..", "/picture/", "/picture/0",
             "/picture/-1", "/picture/1e9", "/picture/99999999999", "/picture/%D9%A3",
             "/%2e%2e/page.py", "/page.js/"]
)  # fmt: skip
def test_what_is_not_there(page: Page, path: str) -> None:
    status, headers, body = ask(page.url, path)
    assert status == 404
    assert headers["Content-Type"].startswith("text/plain")
    assert b"<" not in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_changed(page: Page, method: str) -> None:
    assert ask(page.url, "/", method)[0] == 501


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", ""])
def test_other_names_are_refused(page: Page, host: str) -> None:
    for path in ("/", "/messages", "/picture/0"):
        assert ask(page.url, path, Host=host)[0] == 421


def test_a_name_that_is_given_is_served() -> None:
    with Page(names=["robot.example"]) as page:
        assert ask(page.url, "/", Host="Robot.example:80")[0] == 200


def test_other_sites_may_link_to_it_but_not_take_from_it(page: Page) -> None:
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 404), ("none", 404)):
        fetched = {"Sec-Fetch-Site": site}
        assert ask(page.url, "/", **fetched)[0] == 200
        assert ask(page.url, "/picture/0", **fetched)[0] == status


def test_messages(page: Page) -> None:
    page.add("mic", window(2.0), {"bell": 0.5}, ["bell"])
    with Viewer(page.url) as viewer:
        first = next(viewer.messages())
        assert (first["reset"], first["title"], first["streams"][0]["scores"]) == (True, "a page", [0.5])
        page.add("mic", window(3.0), {"bell": 0.7})
        page.add_event("mic", BELL)
        found = viewer.until(lambda message: message["events"])
        assert found["reset"] is False
        assert found["events"] == [[0, "bell", 1.0, 3.0, 2.0, 0.5]]
        page.end(["that was all"])
        assert viewer.until(lambda message: message["ended"])["notes"] == ["that was all"]


def test_names_are_data_and_never_markup(page: Page) -> None:
    name = "</script><img src=x onerror=alert(1)>\n\ndata: {} \udcff"
    page.add(name, window(2.0), {name: 0.5})
    with Viewer(page.url) as viewer:
        (card,) = next(viewer.messages())["streams"]
    assert (card["name"], card["names"]) == (name, [name])


def test_the_current_frame(page: Page) -> None:
    page.show("camera", bindrt.Image(np.zeros((8, 8, 3), np.uint8)))
    page.show("imu", bindrt.Imu(np.zeros((6, 4)), rate=100))
    status, headers, body = ask(page.url, "/picture/0?7")
    assert (status, headers["Content-Type"], body[:2]) == (200, "image/jpeg", b"\xff\xd8")
    assert len(json.loads(ask(page.url, "/picture/1")[2])["rows"]) == 6
    page.show("damaged", bindrt.Image(b"nothing"))
    assert ask(page.url, "/picture/2")[0] == 404


def test_many_watch_and_one_more_is_refused() -> None:
    with Page(viewers=3) as page:
        page.add("mic", window(2.0), {"bell": 0.5})
        viewers = [Viewer(page.url) for _ in range(3)]
        for viewer in viewers:
            assert next(viewer.messages())["streams"][0]["name"] == "mic"
        with Viewer(page.url) as fourth:
            assert fourth.status == 503
        assert ask(page.url, "/")[0] == 200
        viewers[0].close()  # who hangs up is forgotten
        assert becomes(lambda: may_watch(page))
        for viewer in viewers[1:]:
            viewer.close()


def test_connections_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Request, "timeout", PATIENCE)
    with Page(viewers=1) as page:
        place = urlsplit(page.url).hostname, urlsplit(page.url).port
        idle = [socket.create_connection(place) for _ in range(8)]
        assert ask_quietly(page.url) in (0, 503)
        for connection in idle:
            connection.close()
        assert becomes(lambda: ask_quietly(page.url) == 200)


def ask_quietly(url: str) -> int:
    """The status of a page; 0 if the server hung up while it was asked."""
    try:
        return ask(url, "/")[0]
    except OSError:
        return 0


SCORES = {f"{'name' * 10} {i}": 0.123 for i in range(100)}


def taking_nothing(page: Page) -> socket.socket:
    """Somebody who asks for the messages and reads none."""
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    slow.connect((urlsplit(page.url).hostname, urlsplit(page.url).port))
    slow.sendall(b"GET /messages HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return slow


def may_watch(page: Page) -> bool:
    try:
        with Viewer(page.url) as viewer:
            return viewer.status == 200
    except OSError:
        return False


def test_a_viewer_who_takes_nothing_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Request, "timeout", PATIENCE)
    with Page(viewers=2) as page, taking_nothing(page):
        for i in range(1200):
            page.add("mic", window(i / 10), SCORES)
        with Viewer(page.url) as quick:
            assert len(next(quick.messages())["streams"][0]["points"]) > 590
            assert not may_watch(page), "the slow one is still there"


def test_a_viewer_who_takes_nothing_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten, send = threading.Event(), Request._send_messages

    def sent(request: Request, server: Any) -> None:
        try:
            send(request, server)
        finally:
            forgotten.set()

    monkeypatch.setattr(Request, "timeout", 0.2)
    monkeypatch.setattr(Request, "_send_messages", sent)
    with Page(viewers=1) as page:
        for i in range(600):
            page.add("mic", window(i / 10), SCORES)
        with taking_nothing(page):
            assert forgotten.wait(PATIENCE)
            assert becomes(lambda: may_watch(page))


def test_closing_tells_the_end_frees_the_port_and_leaves_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_PATIENCE", PATIENCE)
    before = set(threading.enumerate())
    page = Page()
    port = urlsplit(page.url).port
    assert port is not None
    with Viewer(page.url) as viewer:
        next(viewer.messages())
        page.close()
        assert [message["ended"] for message in viewer.messages()][-1] is True
    page.close()
    assert becomes(lambda: set(threading.enumerate()) <= before)
    with pytest.raises(ClosedError, match="it is closed"):
        page.add("mic", window(1.0))
    with Page(port=port) as again:
        assert again.url == f"http://127.0.0.1:{port}/"


def test_a_port_that_is_taken(page: Page) -> None:
    port = urlsplit(page.url).port
    assert port is not None
    with pytest.raises(
        OptionError, match=f"127.0.0.1:{port}: another program serves there; take another port"
    ):
        Page(port=port)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"port": 70000}, "not a number of a port"),
        ({"viewers": 0}, "not a number of viewers"),
        ({"host": "192.0.2.1"}, "this machine cannot serve there"),
        ({"host": "a" * 300}, "no machine can have that name"),
        ({"host": ""}, "not an address"),
        ({"host": None}, "not an address"),
        ({"names": "robot.example"}, "not a list of names"),
        ({"limits": 3}, "not limits"),
    ],
)
def test_wrong_options(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(OptionError, match=problem):
        Page(**options)


def test_what_is_no_window_and_what_cannot_be_shown(page: Page) -> None:
    with pytest.raises(InputError, match="has no times"):
        page.add("mic", "window")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="give a number for each name"):
        page.add("mic", window(1.0), {"bell": "loud"})  # type: ignore[dict-item]
    with pytest.raises(InputError, match="not a name"):
        page.add(3, window(1.0))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="is no event"):
        page.add_event("mic", "bell")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="cannot be shown"):
        page.show("camera", np.zeros((4, 4)))  # type: ignore[arg-type]


def test_watching_a_live_stream(page: Page) -> None:
    frame = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    with bindrt.load("tiny") as model:
        mine = model.embed(thermal=bindrt.Thermal(frame)).thermal[0]
        monitor = bindrt.Monitor(model, {"mine": [mine], "other": "a bell ringing"}, on=0.9, off=0.8)
        with model.live("thermal", policy="all", queue=99) as stream:
            for time in range(6):
                item = frame.astype(np.uint16) if time == 5 else frame
                page.show("camera", bindrt.Thermal(item))
                stream.push(item, time=float(time))
        events = list(page.watch("camera", stream, monitor))
    assert [(event.name, event.start, event.end) for event in events] == [("mine", 0.0, 4.0)]
    with Viewer(page.url) as viewer:
        message = next(viewer.messages())
    (card,) = message["streams"]
    assert message["events"] == [[0, "mine", 0.0, 4.0, events[0].peak, events[0].score]]
    assert (card["names"], card["windows"], card["failed"], card["active"]) == (["mine", "other"], 5, 1, [])
    assert card["scores"][0] > 0.99
    assert card["latency"] >= 0
    assert card["picture"] >= 1
