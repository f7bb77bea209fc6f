"""tools/check_tree.py finds what it is for, and nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import check_tree
from tree_rules.counts import counts
from tree_rules.files import Tree

RUNTIME, EXPORT = "runtime/bindrt", "export/bindrt_export"
#: Modules that the planted ones import.
WORLD = {
    f"{RUNTIME}/__init__.py": "",
    f"{RUNTIME}/errors.py": "",
    f"{RUNTIME}/model.py": "from bindrt import _core, errors",
    f"{RUNTIME}/sources/__init__.py": "",
    f"{RUNTIME}/sources/_image.py": "",
    f"{EXPORT}/__init__.py": "import bindrt",
    f"{EXPORT}/cli.py": "import torch",
    "bench/__init__.py": "import torch, bindrt_export.cli, bindrt._core",
    "kernels/base/simd.h": "// A.\n#include <cstdint>",
    "kernels/resize/square.h": '// A.\n#include "kernels/base/simd.h"',
}


def problems(root: Path, files: dict[str, str]) -> list[str]:
    """What is wrong with a tree of these files and those of ``WORLD``."""
    for name, text in (WORLD | files).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return [str(problem) for problem in check_tree.problems_of(Tree(root))]


@pytest.mark.parametrize(
    ("path", "text", "problem"),
    [
        (f"{RUNTIME}/x.py", "import torch.nn as nn", "1: the runtime imports torch.nn"),
        (f"{RUNTIME}/x.py", "def f():\n    from torch import nn", "2: the runtime imports torch.nn"),
        (f"{RUNTIME}/x.py", "importlib.import_module('torch')", "1: the runtime imports torch"),
        (f"{RUNTIME}/x.py", "run([python, '-m', 'torch.x'])", "1: the runtime imports torch.x.__main__"),
        (f"{RUNTIME}/x.py", "module = 'bindrt_export.x'", "1: the runtime names bindrt_export.x in a string"),
        (f"{RUNTIME}/x.py", "import bindrt_export.cli", "1: bindrt must not import bindrt_export.cli"),
        (f"{RUNTIME}/x.py", "from bench import a", "1: bindrt must not import bench.a"),
        (f"{RUNTIME}/x.py", "from support import a", "1: bindrt must not import support.a"),
        (f"{EXPORT}/x.py", "from bench import a", "1: bindrt_export must not import bench.a"),
        (f"{EXPORT}/x.py", "from bindrt import _core", "1: the export must not use bindrt._core"),
        (f"{EXPORT}/x.py", "import bindrt.model", "1: the export must not use bindrt.model"),
        (
            f"{RUNTIME}/x.py",
            "from .sources import _image",
            "1: bindrt.sources._image is private to bindrt.sources",
        ),
        (
            "tests/bench/x.py",
            "from bindrt.errors import _x",
            "1: bindrt.errors._x is private to bindrt.errors",
        ),
        ("bench/x.py", "other._name = 1", "1: other._name is private to another file"),
        ("kernels/base/x.h", "// A.\n#include <Python.h>", "2: only csrc/python may include Python.h"),
        (
            "csrc/gpu/x.cpp",
            "//\n # include <pybind11/stl.h>",
            "2: only csrc/python may include pybind11/stl.h",
        ),
        (
            "kernels/base/x.h",
            '// A.\n#include "csrc/gpu/a.h"',
            "2: kernels/base must not include csrc/gpu/a.h",
        ),
        (
            "kernels/base/x.h",
            '// A.\n#include "kernels/resize/square.h"',
            "2: kernels/base must not include kernels/resize/square.h",
        ),
        (
            "kernels/mel/x.h",
            '// A.\n#include "kernels/imu/a.h"',
            "2: kernels/mel must not include kernels/imu/a.h",
        ),
        (
            "csrc/pipeline/x.h",
            '// A.\n#include "csrc/gpu/a.h"',
            "2: csrc/pipeline must not include csrc/gpu/a.h",
        ),
        (
            "csrc/jpeg/x.h",
            '// A.\n#include "csrc/python/a.h"',
            "2: csrc/jpeg must not include csrc/python/a.h",
        ),
        ("csrc/gpu/x.cpp", "int a;", "1: opens without a comment that says what the file does"),
        ("bench/x.py", '""' + '"Of one item."""', '1: a sentence opens with "Of"'),
        ("bench/x.py", "a = 1\n#" + ": Of one item.", '2: a sentence opens with "Of"'),
        ("docs/x.md", "see /ho" + "me/someone/notes", "1: /ho" + "me/someone is a path of one machine"),
        ("csrc/gpu/x.cpp", "//\n" * 401, " 401 lines; split it, 400 is the most"),
        ("constraints.txt", "# https://mirror.example/simple", " the lock names a server"),
        ("tests/test_x.py", "", " only conftest.py lies directly in tests/"),
        (
            "tests/runtime/nowhere/test_x.py",
            "",
            " there is no runtime/bindrt/nowhere that it could test",
        ),
        ("tests/new/test_x.py", "", " name tests/new in tools/tree_rules/layout.py"),
    ],
)
def test_one_problem(tmp_path: Path, path: str, text: str, problem: str) -> None:
    assert problems(tmp_path, {path: text}) == [f"{path}:{problem}"]


def test_kernels_without_tests(tmp_path: Path) -> None:
    assert problems(tmp_path, {"kernels/mel/mel_cpu.cpp": "// A."}) == [
        "kernels/mel: has no tests in tests/kernels/mel"
    ]


@pytest.mark.parametrize(
    ("first", "second", "kinds"),
    [
        ("import bindrt.b", "import bindrt.a", "when loaded"),
        ("from bindrt import b", "from . import a", "when loaded"),
        ("import bindrt.b", "def f():\n    from bindrt.a import x", "in a function, when loaded"),
        ("import bindrt.b", "if TYPE_CHECKING:\n    from bindrt.a import X", "for types, when loaded"),
        ("import bindrt.b", "import_module('bindrt.a')", "by a string, when loaded"),
        ("import bindrt.b", "run([python, '-m', 'bindrt.a'])", "by a string, when loaded"),
    ],
)
def test_a_circle(tmp_path: Path, first: str, second: str, kinds: str) -> None:
    """Whichever way the imports of a circle are written, it is found."""
    found = problems(tmp_path, {f"{RUNTIME}/a.py": first, f"{RUNTIME}/b.py": second})
    circle = "bindrt.a > bindrt.b > bindrt.a"
    assert found == [
        f"{RUNTIME}/a.py: imports go in a circle: {circle} ({kinds})",
        f"{RUNTIME}/a.py:{1}: rooms import each other in a circle: {circle}",
    ]


def test_a_circle_through_the_init_of_a_package(tmp_path: Path) -> None:
    """Importing one module of a package runs the package's ``__init__`` too."""
    files = {
        f"{RUNTIME}/sources/__init__.py": "import bindrt.model",
        f"{RUNTIME}/sources/image.py": "",
        f"{RUNTIME}/model.py": "def f():\n    from bindrt.sources.image import x",
    }
    assert any("bindrt.model > bindrt.sources > bindrt.model" in line for line in problems(tmp_path, files))


def test_a_circle_of_headers(tmp_path: Path) -> None:
    files = {
        "csrc/gpu/a.h": '// A.\n#include "csrc/gpu/b.h"',
        "csrc/gpu/b.h": '// A.\n#include "csrc/gpu/a.h"',
    }
    circle = "csrc/gpu/a.h > csrc/gpu/b.h > csrc/gpu/a.h"
    assert problems(tmp_path, files) == [f"csrc/gpu/a.h: includes go in a circle: {circle}"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (f"{EXPORT}/x.py", "import torch\nfrom bindrt import errors\nimport bindrt.errors"),
        (f"{RUNTIME}/x.py", "from . import torch_like\nimport bindrt\nname = 'torch'\nimport bindrt._core"),
        (f"{RUNTIME}/sources/x.py", "from bindrt.sources import _image\nfrom bindrt.errors import Error"),
        (f"{RUNTIME}/x.py", "class A:\n    _x = 1\n\nA()._x\nA.__doc__\nself._b\nrow._fields"),
        ("bench/x.py", "import bench, bindrt_export.cli\nbindrt._core.x"),
        ("kernels/mel/x.h", '// A.\n#include "kernels/resize/square.h"\n#include "kernels/mel/a.h"'),
        ("kernels/map/x.h", '// A.\n#include "kernels/image/image.h"'),
        (
            "csrc/python/x.cpp",
            '// A.\n#include <pybind11/pybind11.h>\n#include <vector>\n#include "csrc/gpu/x.h"',
        ),
        ("docs/x.md", "https://example.org/home/page and ./work/x and /usr/bin"),
        ("docs/x.md", "long\n" * 1000),
        ("tests/kernels/base/test_x.cpp", "// A."),
        ("tests/support/x.py", "from bindrt import _core"),
        ("tests/conftest.py", ""),
    ],
)
def test_no_problem(tmp_path: Path, path: str, text: str) -> None:
    assert problems(tmp_path, {path: text}) == []


def test_counts(tmp_path: Path) -> None:
    heat = f"{RUNTIME}/heat.py"
    problems(tmp_path, {heat: "import bindrt.errors  # thermal", "docs/thermal.md": "thermal"})
    lines = list(counts(Tree(tmp_path), "thermal"))
    assert lines[0] == "code files: 11 in 6 folders; the fullest:"
    assert "  Python 5 among 7 rooms, 5 in all" in lines
    assert "  C++    1 among 2 rooms, 1 in all" in lines
    assert lines[-2:] == ['code files that mention "thermal": 1, of them shipped 1', "     1 runtime"]


@pytest.mark.skipif(not (check_tree.ROOT / ".git").exists(), reason="not a checkout")
def test_this_tree_is_in_order() -> None:
    assert check_tree.main([]) == 0
