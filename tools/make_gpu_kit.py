"""``make gpu-kit``: an archive in dist/ to carry to a machine with a GPU that reaches no network.

It holds the wheel, the packages that such a machine lacks, bench/, the GPU's tests, and the C++ programs that
test csrc/gpu, built. That machine has a driver, Python of the same version with PyTorch, CuPy, ONNX Runtime
and pytest; it needs no compiler. There: unpack, then ``./run.sh --json OUT``. ``--python`` names an
interpreter of the version that is there, if it is another than here.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import gpu_programs
from make_wheel import repair

ROOT = Path(__file__).resolve().parent.parent
#: What such machines take.
MOST_BYTES = 64 << 20
#: Packages that a machine for PyTorch does not have. Those that it has are the other ones in pyproject.toml.
CARRIED = ("av", "cffi", "deflate", "ftfy", "pycparser", "soundfile", "wcwidth")
#: Packages that are carried when they are asked for: with all the others the archive is too large.
ON_REQUEST = ("nvidia-nvimgcodec-cu12", "nvidia-nvimgcodec-cu13")
TREE = (
    "LICENSE",
    "bench",
    "pyproject.toml",
    "tests/conftest.py",
    "tests/csrc/gpu/conftest.py",
    "tests/csrc/gpu/test_decoding.py",
    "tests/csrc/gpu/test_decoding_others.py",
    "tests/csrc/gpu/test_device_arrays.py",
    "tests/csrc/gpu/test_device_items.py",
    "tests/csrc/gpu/test_device_libraries.py",
    "tests/csrc/gpu/test_film_decoding.py",
    "tests/csrc/gpu/test_half_input.py",
    "tests/csrc/gpu/test_kept_graphs.py",
    "tests/csrc/gpu/test_ops.py",
    "tests/csrc/gpu/test_pipeline.py",
    "tests/csrc/gpu/test_prepare.py",
    "tests/golden/inputs",
    "tests/golden/model/small.json",
    "tests/nvimgsim",
    "tests/support",
)
LEFT_OUT = "bench/results"
RUN = ROOT / "tools" / "gpu_kit_run.sh"


def build_wheel(python: str, folder: Path) -> Path:
    """The wheel for this interpreter's version, with the tag of the systems that it works on."""
    made = folder / "made"
    # This environment has the tools to build with. In another, pip makes one, where all is compiled anew.
    alone = () if python != sys.executable else ("--no-build-isolation",)
    pip(python, "wheel", "--no-deps", *alone, "--wheel-dir", str(made), str(ROOT))
    return repair(next(made.glob("bindrt-*.whl")), folder / "repaired")


def carried_wheels(python: str, names: Iterable[str], folder: Path) -> list[Path]:
    constraints = str(ROOT / "constraints.txt")
    pip(
        python,
        "download",
        "--no-deps",
        "--only-binary",
        ":all:",
        "-c",
        constraints,
        "-d",
        str(folder),
        *names,
    )
    return sorted(folder.glob("*.whl"))


def pip(python: str, *arguments: str) -> None:
    subprocess.run([python, "-m", "pip", "--disable-pip-version-check", "-q", *arguments], check=True)


def tracked(paths: Sequence[str]) -> list[str]:
    """The files of the checkout below these paths, without results of measurements."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *paths]
    found = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    files = [name for name in found.splitlines() if not name.startswith(LEFT_OUT)]
    return [name for name in files if (ROOT / name).is_file()]


def assemble(kit: Path, wheels: Iterable[Path], programs: Iterable[Path], about: dict[str, str]) -> None:
    """Put everything into the kit's folder."""
    (kit / "wheels").mkdir(parents=True)
    for wheel in wheels:
        shutil.copy(wheel, kit / "wheels")
    for name in tracked(TREE):
        (kit / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, kit / name)
    place = kit / gpu_programs.FOLDER.relative_to(ROOT)
    place.mkdir(parents=True)
    for program in programs:
        shutil.copy(program, place)
    shutil.copy(RUN, kit / "run.sh")
    (kit / "KIT.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def pack(kit: Path, archive: Path, most: int = MOST_BYTES) -> int:
    """Write the archive; its size.

    Raises:
        SystemExit: it is larger than such machines take; it says what is large.
    """
    with tarfile.open(archive, "w:gz") as out:
        out.add(kit, arcname=kit.name)
    size = archive.stat().st_size
    if size > most:
        largest = sorted((f for f in kit.rglob("*") if f.is_file()), key=lambda f: -f.stat().st_size)[:5]
        parts = ", ".join(f"{f.name} {f.stat().st_size / 1e6:.1f} MB" for f in largest)
        archive.unlink()
        raise SystemExit(
            f"the kit has {size / 2**20:.1f} MiB, {most / 2**20:.0f} can be carried: {parts}; "
            "--without av leaves videos and compressed sounds out"
        )
    return size


def commit() -> str:
    """The checkout's commit, with a + where files differ from it."""
    said = [
        subprocess.run(["git", *command], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
        for command in (("rev-parse", "--short", "HEAD"), ("status", "--porcelain"))
    ]
    return said[0] + ("+" if said[1] else "")


def version_of(python: str) -> str:
    """For example 3.12."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="an interpreter of that machine's version")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="default: dist/")
    parser.add_argument("--without", nargs="+", default=[], choices=CARRIED, metavar="PACKAGE")
    parser.add_argument("--with", dest="also", nargs="+", default=[], choices=ON_REQUEST, metavar="PACKAGE")
    parser.add_argument("--wheel", type=Path, help="a wheel that is built already")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    version = version_of(args.python)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        if args.wheel is None:
            print(f"compiling the wheel for Python {version}; this takes minutes", flush=True)
        wheel = args.wheel or build_wheel(args.python, work)
        print("compiling the C++ programs; this takes minutes", flush=True)
        programs = gpu_programs.build_programs()
        names = [n for n in CARRIED if n not in args.without] + args.also
        others = carried_wheels(args.python, names, work / "others")
        kit = work / "bindrt-gpu-kit"
        about = {"commit": commit(), "python": version, "wheel": wheel.name}
        assemble(kit, [wheel, *others], programs, about)
        archive = args.output / f"bindrt-gpu-kit-py{version}.tar.gz"
        size = pack(kit, archive)
    print(f"{archive}: {size / 2**20:.1f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
