"""Each variable of the environment that our code reads stands in docs/logging.md."""

from __future__ import annotations

import re
from pathlib import Path

from support.pages import ROOT

#: How Python, C++ and make read one.
READ = re.compile(
    r'(?:environ(?:\.get\(|\[)|getenv\()\s*"(BINDRT_\w+)"|\$\$?\{?(BINDRT_\w+)|env = "(BINDRT_\w+)"'
)


def sources() -> list[Path]:
    folders = ("runtime", "export", "csrc", "kernels", "tools", "bench", "tests", "cmake")
    found = [p for f in folders for s in ("py", "cpp", "h", "sh") for p in (ROOT / f).rglob(f"*.{s}")]
    return [*found, ROOT / "Makefile", ROOT / "pyproject.toml"]


def test_every_variable_is_in_the_table() -> None:
    read = {n for path in sources() for m in READ.findall(path.read_text("utf-8")) for n in m if n}
    listed = set(re.findall(r"`(BINDRT_\w+)`", (ROOT / "docs" / "logging.md").read_text("utf-8")))
    assert {"BINDRT_LIBCUDA", "BINDRT_CUDA", "BINDRT_CUDASIM"} <= read
    assert read == listed
