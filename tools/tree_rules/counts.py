"""Numbers about the layout of a tree, to compare one tree with another."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from tree_rules import includes, python_arrows
from tree_rules.files import File, Tree
from tree_rules.graph import circles
from tree_rules.imports import Arrow
from tree_rules.imports import arrows as imports

FOLDERS = ("kernels", "csrc", "runtime", "export", "bench", "tools", "examples", "tests")


def counts(tree: Tree, word: str) -> Iterator[str]:
    """The numbers, as lines to print; ``word`` is a pattern whose mentions are counted."""
    folders = Counter(str(file.path.parent) for file in tree.code())
    yield f"code files: {folders.total()} in {len(folders)} folders; the fullest:"
    yield from (f"  {count:4} {folder}" for folder, count in folders.most_common(12))
    python, cpp = imports(tree), includes.arrows(tree)
    ours = {str(file.path) for file in tree.files}
    yield "arrows between rooms:"
    yield f"  Python {_between(python, python_arrows.room)}"
    yield f"  C++    {_between([arrow for arrow in cpp if arrow.target in ours], includes.room)}"
    yield "circles of imports:"
    yield f"  between modules {_circles(python, str)}"
    yield f"  between rooms   {_circles(python, python_arrows.room)}"
    yield from _mentions(tree, word)


def _between(found: Iterable[Arrow], room: Callable[[str], str]) -> str:
    pairs = [(room(arrow.source), room(arrow.target)) for arrow in found]
    crossing = [pair for pair in pairs if pair[0] != pair[1]]
    rooms = {room for pair in pairs for room in pair}
    return f"{len(set(crossing))} among {len(rooms)} rooms, {len(crossing)} in all"


def _circles(found: list[Arrow], node: Callable[[str], str]) -> str:
    names = [" > ".join(circle) for circle in circles(python_arrows.graph_of(found, node))]
    return "; ".join([str(len(names)), *names])


def _mentions(tree: Tree, word: str) -> Iterator[str]:
    pattern = re.compile(word, re.IGNORECASE)

    def mentions(file: File) -> bool:
        return bool(pattern.search(file.text or "") or pattern.search(file.path.name))

    found = Counter(file.path.parts[0] for file in tree.code() if mentions(file))
    shipped = sum(found[folder] for folder in ("kernels", "csrc", "runtime", "export"))
    yield f'code files that mention "{word}": {found.total()}, of them shipped {shipped}'
    yield from (f"  {found[folder]:4} {folder}" for folder in FOLDERS if found[folder])
