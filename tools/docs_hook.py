"""The site's pages that do not lie in docs/, and links that hold on the site and in the repository alike.

In the repository a page links to ``../examples/tiny/README.md`` or ``../bench/results/x.json``. On the site
the first is the page ``bind-tiny.md``; the second is copied to ``files/bench/results/x.json``.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
#: Files of the repository that are pages of the site.
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "examples/tiny/README.md": "bind-tiny.md",
}
LINK = re.compile(r"(\]\()([^)\s#]+)(#[^)\s]*)?(\))")


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages of ``PAGES``, and every file of the repository that a page links to."""
    for source, target in PAGES.items():
        text = (ROOT / source).read_text("utf-8")
        files.append(File.generated(config, target, content=text))
    linked: set[str] = set()
    for page in files.documentation_pages():
        home = repository_path(page.src_uri)
        for found in LINK.finditer((ROOT / home).read_text("utf-8")):
            path = target_of(home, found[2])
            if path and (ROOT / path).is_file() and not path.startswith("docs/") and path not in PAGES:
                linked.add(path)
    for path in sorted(linked):
        files.append(File.generated(config, f"files/{path}", abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """The text with its links as the site has them."""

    def replaced(link: re.Match[str]) -> str:
        return link[1] + site_link(page.file.src_uri, link[2]) + (link[3] or "") + link[4]

    return LINK.sub(replaced, markdown)


def repository_path(site_path: str) -> str:
    """Where the source of a page lies, from the root of the repository."""
    sources = {target: source for source, target in PAGES.items()}
    return sources.get(site_path, f"docs/{site_path}")


def target_of(home: str, link: str) -> str | None:
    """The file a link names, from the root of the repository; None for an address."""
    if re.match(r"[a-z]+:", link):
        return None
    return os.path.normpath(PurePosixPath(home).parent / link)


def site_link(here: str, link: str) -> str:
    """``link`` of the page ``here``, both on the site."""
    path = target_of(repository_path(here), link)
    if path is None:
        return link
    inside = path.removeprefix("docs/") if path.startswith("docs/") else f"files/{path}"
    return os.path.relpath(PAGES.get(path, inside), PurePosixPath(here).parent)
