"""Check what no linter knows: short files, no paths of one machine, and arrows that point one way.

``--counts`` prints numbers about the layout instead; ``--root`` names another checkout.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tree_rules import includes, layout, private, python_arrows, texts
from tree_rules.counts import counts
from tree_rules.files import Problem, Tree

ROOT = Path(__file__).resolve().parent.parent
RULES = (texts.problems, includes.problems, python_arrows.problems, private.problems, layout.problems)


def problems_of(tree: Tree) -> list[Problem]:
    """All problems of a tree, in the order of its files."""
    return sorted({problem for rule in RULES for problem in rule(tree)})


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout to look at")
    parser.add_argument("--counts", action="store_true", help="print numbers about the layout")
    parser.add_argument(
        "--word", default="thermal", help="count the files that mention it (default: thermal)"
    )
    options = parser.parse_args(arguments)
    tree = Tree(options.root)
    if options.counts:
        print("\n".join(counts(tree, options.word)))
        return 0
    problems = problems_of(tree)
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        print(f"tree: {len(tree.files)} files in order")
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
