"""What a person does on the page of bind-serve, in a browser."""

from __future__ import annotations

import json

from support.browser import Browser
from support.serving import in_base64

STATUS = "document.getElementById('status').textContent"
#: Files by name, type and base64 are dragged onto the page.
_DROP = """(() => {
  const held = new DataTransfer();
  for (const [name, type, data] of %s)
    held.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name, {type}));
  document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: held, bubbles: true, cancelable: true}));
})()"""
#: A text is written and added.
WRITE = """(() => {
  document.getElementById("text").value = %s;
  document.getElementById("writing").requestSubmit();
})()"""


def drop(browser: Browser, *files: tuple[str, str, bytes]) -> None:
    """Drags files onto the page: their names, types and contents."""
    browser.evaluate(_DROP % json.dumps([(name, kind, in_base64(data)) for name, kind, data in files]))
