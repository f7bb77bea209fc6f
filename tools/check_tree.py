"""Check what no linter knows: short files, no paths of one machine, dependencies that point one way."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = {".py", ".cpp", ".h", ".cu"}
MAX_LINES = 400
MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:root|home|Users|work|opt/pypi|opt/wheels)/[\w.-]+")
# What the runtime must never need; `export` alone knows torch.
FORBIDDEN = ("torch", "torchvision", "torchaudio", "bindrt_export")
KERNEL_INCLUDE = re.compile(r'^\s*#\s*include\s*[<"](pybind11|Python\.h|csrc/)', re.MULTILINE)


def tracked() -> list[Path]:
    """Files of the project: known to git, or new and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return sorted(path for path in paths if path.is_file())


def read(path: Path) -> str | None:
    """The text of a file; None for binary ones."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and module of each import, also of ``importlib.import_module("name")``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.lineno, node.module
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                yield node.lineno, node.args[0].value


def import_problems(text: str) -> Iterator[str]:
    for line, module in imported(ast.parse(text)):
        if module.split(".")[0] in FORBIDDEN:
            yield f"{line}: the runtime imports {module}"


def problems_of(path: Path, text: str) -> Iterator[str]:
    """What is wrong with one file, without its name."""
    lines = text.splitlines()
    if path.suffix in SOURCES and len(lines) > MAX_LINES:
        yield f"1: {len(lines)} lines; split it, {MAX_LINES} is the most"
    for number, line in enumerate(lines, 1):
        if found := MACHINE_PATH.search(line):
            yield f"{number}: {found.group()} is a path of one machine"
    inside = path.relative_to(ROOT).parts
    if inside[:2] == ("runtime", "bindrt") and path.suffix == ".py":
        yield from import_problems(text)
    if inside[0] == "kernels" and KERNEL_INCLUDE.search(text):
        yield "1: kernels know neither Python nor csrc"
    if inside == ("constraints.txt",) and "://" in text:
        yield "1: the lock names a server"


def main() -> int:
    count, files = 0, tracked()
    for path in files:
        text = read(path)
        for problem in problems_of(path, text) if text is not None else ():
            print(f"{path.relative_to(ROOT)}:{problem}", file=sys.stderr)
            count += 1
    if not count:
        print(f"tree: {len(files)} files in order")
    return 1 if count else 0


if __name__ == "__main__":
    raise SystemExit(main())
