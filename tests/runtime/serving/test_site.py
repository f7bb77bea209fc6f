"""The pages that people see, in a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import numpy as np
import pytest

import bindrt
from bindrt.item_options import check_options
from bindrt.serving import ServeOptions
from support.browser import CHROMIUM, Browser
from support.serve_page import STATUS, WRITE, drop
from support.serving import Running, running

in_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here to look at the page with")

#: A value of a field of choices is chosen.
CHOOSE = """(() => {
  const field = document.querySelector("%s");
  field.value = "%s";
  field.dispatchEvent(new Event("change"));
})()"""
EVIL = "<img src=x onerror=\"document.title='caught'\">"


def texts(what: str) -> str:
    return f"[...document.querySelectorAll({what!r})].map((found) => found.textContent)"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as made:
        yield made


@pytest.fixture
def page(browser: Browser, server: Running) -> Browser:
    browser.said.clear()
    browser.open(server.url + "/")
    assert browser.becomes(STATUS, "Add a file or a text.")
    return browser


def test_pages_need_nothing_from_elsewhere(server: Running) -> None:
    for path in ("/", "/docs", "/site/page.css", "/site/page.js", "/site/dom.js", "/site/docs.js"):
        found = server.ask("GET", path)
        assert found.status == 200
        assert "default-src 'none'" in found.headers["content-security-policy"]
        assert not any(word in found.body.decode() for word in ("http://", "https://", "//cdn", "innerHTML"))
    assert server.ask("GET", "/site/none.js").status == 404


@in_browser
def test_similarities_and_labels(page: Browser, served_model: bindrt.Model, media: dict[str, bytes]) -> None:
    drop(page, ("bell.jpg", "image/jpeg", media["image"]), ("bell.wav", "audio/wav", media["audio"]))
    assert page.becomes(STATUS, "2 compared.") == "2 compared."
    page.evaluate(WRITE % json.dumps("a car driving"))
    assert page.becomes(STATUS, "3 compared.") == "3 compared."
    found = served_model.embed(image=media["image"], audio=media["audio"], text="a car driving")
    names, vectors = (
        ["bell.jpg", "bell.wav", "a car driving"],
        [found.image[0], found.audio[0], found.text[0]],
    )
    assert page.evaluate(texts(".matrix tbody th")) == names
    cosines = np.array(vectors) @ np.array(vectors).T
    shown = np.array(page.evaluate(texts(".matrix tbody td")), float).reshape(3, 3)
    assert np.abs(shown - cosines).max() < 0.0051
    labels = ["a bell ringing", "a car driving", "a dog barking", "rain"]
    assert page.evaluate("document.getElementById('labels').value.split('\\n')") == labels
    wanted = served_model.classify(image=media["image"], labels=labels)
    assert page.evaluate(texts("#tables caption")) == names
    first = page.evaluate(texts("#tables table:first-child th"))
    assert first == [labels[i] for i in np.argsort(-wanted[0], kind="stable")]
    share = page.evaluate(texts("#tables table:first-child td:last-child"))[0]
    assert abs(float(share.removesuffix(" %")) / 100 - wanted[0].max()) < 0.0006
    assert page.evaluate("[...document.images].every((i) => i.complete && i.naturalWidth > 0)") is True
    assert page.said == []


@in_browser
def test_a_bad_file_is_named_and_the_others_are_compared(page: Browser, media: dict[str, bytes]) -> None:
    drop(page, ("a.jpg", "image/jpeg", media["image"]), ("b.jpg", "image/jpeg", b"no picture"),
         ("c.wav", "audio/wav", media["audio"]))  # fmt: skip
    said = "1 of 3 cannot be read."
    assert page.becomes(STATUS, said) == said
    assert page.evaluate(texts(".matrix tbody th")) == ["a.jpg", "c.wav"]
    problems = page.evaluate(texts(".problem"))
    assert [bool(text) for text in problems] == [False, True, False]
    page.evaluate("document.querySelector('[aria-label=\"Remove b.jpg\"]').click()")
    assert page.becomes(STATUS, "2 compared.") == "2 compared."


@in_browser
def test_depth_is_chosen(page: Browser, served_model: bindrt.Model, media: dict[str, bytes]) -> None:
    drop(page, ("d.png", "image/png", media["depth"]))
    page.evaluate(WRITE % json.dumps("a bell ringing"))
    assert page.becomes(STATUS, "2 compared.") == "2 compared."
    page.evaluate("(() => { const s = document.querySelector('#items select'); s.value = 'depth';"
                  "s.dispatchEvent(new Event('change')) })()")  # fmt: skip
    found = served_model.embed(depth=media["depth"], text="a bell ringing")
    cosine = f"{float(found.depth[0] @ found.text[0]):.2f}"
    assert page.becomes(texts(".matrix tbody td") + "[1]", cosine) == cosine


@in_browser
def test_units_and_cameras(page: Browser, served_model: bindrt.Model, media: dict[str, bytes]) -> None:
    is_hidden = "[...document.querySelectorAll('[data-of]')].map((some) => some.hidden)"
    drop(page, ("d.png", "image/png", media["depth"]))
    assert page.becomes(STATUS, "1 compared.") == "1 compared."
    assert page.evaluate(is_hidden) == [True, True]
    page.evaluate(CHOOSE % ("#items select", "depth"))
    page.evaluate(WRITE % json.dumps("a bell ringing"))
    assert page.becomes(is_hidden, [False, True]) == [False, True]
    page.evaluate(CHOOSE % ("#depth-unit", "mm"))
    page.evaluate(CHOOSE % ("#depth-camera", "realsense"))
    depth = bindrt.Depth(media["depth"], unit="mm", camera="realsense")
    found = served_model.embed(depth=depth, text="a bell ringing")
    cosine = f"{float(found.depth[0] @ found.text[0]):.2f}"
    assert page.becomes(texts(".matrix tbody td") + "[1]", cosine) == cosine


def test_the_page_names_units_and_cameras_that_there_are(server: Running) -> None:
    page = server.ask("GET", "/").body.decode()
    for name, modality in (("depth.unit", "depth"), ("camera", "depth"), ("thermal.unit", "thermal")):
        inside = re.search(rf'<select [^>]*name="{re.escape(name)}">(.*?)</select>', page, re.DOTALL)
        assert inside
        given = re.findall(r"<option>(\w+)</option>", inside[1])
        assert len(given) >= 4
        for value in given:
            check_options({name.rpartition(".")[2]: value}, modality, "")


@in_browser
def test_with_the_keyboard(page: Browser) -> None:
    page.evaluate("document.getElementById('text').focus()")
    page.call("Input.insertText", text="a bell")
    page.press("Enter", 13, "\r")
    assert page.becomes(STATUS, "1 compared.") == "1 compared."
    reached = []
    page.evaluate("document.querySelector('nav a').focus()")
    for _ in range(5):
        page.press("Tab", 9)
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.textContent"))
    assert reached == ["files", "text", "Add", "Remove", "labels"]
    page.evaluate("document.querySelector('#items button').focus()")
    page.press(" ", 32, " ")
    assert page.becomes(STATUS, "Add a file or a text.") == "Add a file or a text."
    assert page.evaluate("document.activeElement.id") == "files", "the focus is not lost with the button"


@in_browser
def test_what_a_screen_reader_finds(page: Browser, media: dict[str, bytes]) -> None:
    drop(page, ("bell.jpg", "image/jpeg", media["image"]))
    page.evaluate(WRITE % json.dumps("a bell"))
    assert page.becomes(STATUS, "2 compared.") == "2 compared."
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    found = {
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node["ignored"]
    }
    assert {
        ("heading", "bindrt"), ("heading", "Files and texts"), ("heading", "Similarities"),
        ("heading", "Labels"), ("status", ""), ("region", "Similarities"), ("table", "Similarities"),
        ("table", "bell.jpg"), ("textbox", "A text"), ("textbox", "Labels, one a line"),
        ("combobox", "What bell.jpg is"), ("button", "Remove bell.jpg"), ("list", "Added"),
        ("rowheader", "bell.jpg"), ("columnheader", "a bell"),
    } <= found  # fmt: skip
    assert ("button", "Drop pictures, sounds or videos here, or choose them") in found


@in_browser
def test_names_never_become_markup(page: Browser, media: dict[str, bytes]) -> None:
    drop(page, (EVIL, "image/jpeg", media["image"]))
    page.evaluate(f"document.getElementById('labels').value = {json.dumps(EVIL)}")
    page.evaluate(WRITE % json.dumps(EVIL))
    assert page.becomes(STATUS, "2 compared.") == "2 compared."
    assert page.evaluate(texts(".matrix tbody th")) == [EVIL, EVIL]
    assert page.evaluate("document.images.length") == 1, "the preview alone"
    assert page.evaluate("document.title") == "bindrt"
    assert page.said == []


@in_browser
def test_a_key_and_several_models(browser: Browser, served_model: bindrt.Model) -> None:
    models = {"big": served_model, "small": served_model}
    with running(models, ServeOptions(api_keys=("secret",))) as server:
        browser.open(server.url + "/")
        said = "This server wants an API key."
        assert browser.becomes(STATUS, said) == said
        browser.evaluate("document.getElementById('key').value = 'secret'")
        browser.evaluate("document.getElementById('access').requestSubmit()")
        assert browser.becomes("document.getElementById('access').hidden") is True
        assert browser.evaluate(texts("#model option")) == ["big", "small"]
        browser.evaluate("document.getElementById('model').value = 'small'")
        browser.evaluate(WRITE % json.dumps("a bell"))
        assert browser.becomes(STATUS, "1 compared.") == "1 compared."


@in_browser
@pytest.mark.parametrize("width", [320, 700, 1300])
def test_it_fits_and_is_dark_or_light(page: Browser, media: dict[str, bytes], width: int) -> None:
    drop(page, *((f"{'long-name' * 12}{i}.jpg", "image/jpeg", media["image"]) for i in range(8)))
    assert page.becomes(STATUS, "8 compared.") == "8 compared."
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.call("Emulation.setDeviceMetricsOverride", **size)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth") is True
    grounds = []
    for dark in (False, True):
        page.dark(dark)
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    page.dark(False)
    page.call("Emulation.clearDeviceMetricsOverride")
    assert grounds == ["rgb(245, 246, 248)", "rgb(20, 23, 27)"]


@in_browser
def test_the_description(browser: Browser, server: Running) -> None:
    browser.said.clear()
    browser.open(server.url + "/docs")
    paths = server.ask("GET", "/openapi.json").json["paths"]
    wanted = sorted(f"{method.upper()} {path}" for path, found in paths.items() for method in found)
    assert browser.becomes(texts("summary code") + ".sort()", wanted) == wanted
    assert browser.evaluate("document.querySelectorAll('a[href^=\"#\"]').length") > 20
    links = "[...document.querySelectorAll('a[href^=\"#\"]')].map((found) => found.hash.slice(1))"
    assert browser.evaluate(f"{links}.filter((name) => !document.getElementById(name))") == []
    browser.call(
        "Emulation.setDeviceMetricsOverride", width=320, height=800, deviceScaleFactor=1, mobile=False
    )
    browser.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth") is True
    browser.call("Emulation.clearDeviceMetricsOverride")
    assert browser.said == []
