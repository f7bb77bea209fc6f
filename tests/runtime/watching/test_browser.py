"""The page in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt.monitoring import Event
from bindrt.watching import Page
from bindrt.watching.board import Board
from support.browser import CHROMIUM, Browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here to look at the page with")

EVIL = "<img src=x onerror=\"document.title='caught'\"><b>bell</b>"
TEXT = "document.getElementById('{}').textContent"
SCORES = "[...document.querySelectorAll('.bars td:last-child')].map((c) => c.textContent)"
SCRIPT = (
    "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as made:
        yield made


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    browser.said.clear()
    with Page("kitchen") as made:
        browser.open(made.url)
        assert browser.becomes(TEXT.format("status"), "live") == "live"
        yield made


def window(end: float, **more: Any) -> Any:
    return SimpleNamespace(start=end - 2, end=end, **more)


def count(what: str) -> str:
    return f"document.querySelectorAll({what!r}).length"


def test_scores_pictures_and_events(browser: Browser, page: Page) -> None:
    for i in range(20):
        scores = {"bell": i / 20, "car": -0.2}
        page.add(
            "/mic", window(65.0 + i, modality="audio", dropped=2, arrived=1.0, done=1.04), scores, ["bell"]
        )
    page.show("/mic", bindrt.Audio(np.zeros(4800), rate=16000))
    page.show("/camera", bindrt.Image(np.zeros((30, 40, 3), np.uint8)))
    page.show("/imu", bindrt.Imu(np.ones((6, 50)), rate=100))
    page.add_event("/mic", Event("bell", 61.25, 63.0, 62.0, 0.456))
    assert browser.becomes(count("figure img"), 2) == 2
    assert browser.becomes(count("figure polyline"), 6) == 6
    assert browser.becomes("[...document.images].every((i) => i.complete && i.naturalWidth > 0)") is True
    about = "audio · at 1:24.0 · 20 windows · latency 40 ms · 2 dropped"
    assert browser.becomes("document.querySelector('.head p').textContent", about) == about
    assert browser.evaluate(SCORES) == [
        "● 0.95", "-0.20",
    ]  # fmt: skip
    assert browser.evaluate("document.querySelector('.fill').style.width") == "95%"
    assert browser.evaluate("document.querySelectorAll('.chart polyline')[0].points.numberOfItems") == 20
    assert browser.evaluate("[...document.querySelectorAll('#rows td')].map((c) => c.textContent)") == [
        "bell", "/mic", "1:01.3", "1:03.0", "1:02.0", "0.46",
    ]  # fmt: skip
    page.add_event("/mic", Event("car", 70.0, 71.0, 70.5, 0.5))
    assert browser.becomes(count("#rows tr"), 2) == 2
    assert browser.evaluate("document.querySelector('#rows td').textContent") == "car", "the newest is on top"
    assert browser.said == []


def test_names_never_become_markup(browser: Browser, page: Page) -> None:
    page.add(EVIL, window(2.0), {EVIL: 0.5})
    page.add_event(EVIL, Event(EVIL, 1.0, 2.0, 1.5, 0.5))
    page.end([EVIL])
    assert browser.becomes(count("#rows tr"), 1) == 1
    assert browser.evaluate("document.querySelector('section h2').textContent") == EVIL
    assert browser.evaluate(count("b")) == browser.evaluate(count("#streams img")) == 0
    assert browser.evaluate("document.title") == "kitchen"
    assert browser.evaluate("document.querySelector('#notes li').textContent") == EVIL
    assert browser.said == []


def test_inline_scripts_do_not_run(browser: Browser, page: Page) -> None:
    browser.evaluate(SCRIPT)
    assert browser.evaluate("window.ran === undefined") is True


def test_the_end_is_said_and_stays(browser: Browser, page: Page) -> None:
    page.add("/mic", window(2.0), {"bell": 0.5}, ["bell"])
    page.close()
    said = "ended: nothing more comes"
    assert browser.becomes(TEXT.format("status"), said) == said
    assert browser.evaluate(count("tr.on")) == 0
    assert browser.becomes("fetch('/').then(() => false, () => true)") is True
    assert browser.evaluate(TEXT.format("status")) == said


def test_a_lost_connection_is_said(browser: Browser, page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Board, "end", lambda board: None)  # as if the program had crashed
    page.close()
    said = "the connection is lost; trying again"
    assert browser.becomes(TEXT.format("status"), said) == said


def test_it_can_be_paused_with_the_keyboard(browser: Browser, page: Page) -> None:
    browser.evaluate("document.getElementById('pause').focus()")
    browser.press(" ", 32, " ")
    assert browser.evaluate("document.getElementById('pause').getAttribute('aria-pressed')") == "true"
    page.add("/mic", window(2.0), {"bell": 0.5})
    page.add_event("/mic", Event("bell", 1.0, 2.0, 1.5, 0.5))
    assert browser.becomes(count("#rows tr"), 1) == 1, "events are still listed"
    assert browser.evaluate(count(".bars tr")) == 0
    browser.press(" ", 32, " ")
    assert browser.becomes(count(".bars tr"), 1) == 1


def test_what_a_screen_reader_finds(browser: Browser, page: Page) -> None:
    page.add("/mic", window(2.0), {"bell": 0.5})
    page.show("/mic", bindrt.Audio(np.zeros(4800), rate=16000))
    assert browser.becomes(count("figure img"), 1) == 1
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    found = {
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node["ignored"]
    }
    assert {
        ("heading", "kitchen"), ("heading", "/mic"), ("heading", "Events"), ("button", "Pause"),
        ("status", ""), ("region", "Events"), ("region", "/mic"),
        ("table", "Scores of /mic"), ("rowheader", "bell"),
        ("image", "spectrogram of /mic: the last 2 seconds"),
        ("image", "scores of /mic over the last minute"), ("log", ""),
    } <= found  # fmt: skip


@pytest.mark.parametrize("width", [320, 700, 1300])
def test_it_fits_and_is_dark_or_light(browser: Browser, page: Page, width: int) -> None:
    page.add(
        "/a/very/long/name/of/a/topic/that/does/not/end", window(2.0), {"bell " * 20: 0.5, "x" * 90: 0.1}
    )
    assert browser.becomes(count(".bars tr"), 2) == 2
    browser.call(
        "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False
    )
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth") is True
    grounds = []
    for dark in (False, True):
        browser.dark(dark)
        grounds.append(browser.evaluate("getComputedStyle(document.body).backgroundColor"))
    browser.dark(False)
    browser.call("Emulation.clearDeviceMetricsOverride")
    assert grounds == ["rgb(245, 246, 248)", "rgb(20, 23, 27)"]
