"""Compile the GPU kernels with NVRTC, and pack the results for the compiled module.

CMake runs this (cmake/GpuKernels.cmake); it needs nothing but Python and, for ``compile``, NVIDIA's package
``nvidia-cuda-nvrtc-cu12``:

    compile_kernels.py find                              # NVRTC's version; code 1 where there is none
    compile_kernels.py compile X_cuda.cu -o X.zip --depfile X.d
    compile_kernels.py pack -o images.bin --table images.cpp [X.zip ...]
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from nvrtc import CompileError, Nvrtc, Resources

ROOT = Path(__file__).resolve().parent.parent

#: Compute capabilities with machine code of their own: one of each major version, and the most common ones.
#: Code of 8.0 would also run on 8.6 and 8.9, that of 12.0 runs on 12.1; 8.7 (Jetson Orin) runs only its own.
CUBINS = (75, 80, 86, 87, 89, 90, 100, 120)
#: PTX, which drivers compile: for later GPUs and Jetson Thor (11.0; 10.1 before CUDA 13), and, of the oldest
#: capability, for a GPU whose machine code its driver refuses.
PTX = (75, 100)
OPTIONS = (
    "--std=c++20",
    "--fmad=false",  # the CPU side is built without contraction as well
    # Headers that the CPU side shares declare its functions as well, and NVRTC knows no host functions.
    "--device-as-default-execution-space",
    "--ptxas-options=-v",
)
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
ENTRY = re.compile(r"\.entry\s+(\w+)")


def headers_of(source: Path) -> list[Path]:
    """The files of this repository that a source includes, directly or not."""
    found: list[Path] = []
    waiting = [source]
    while waiting:
        text = waiting.pop().read_text(encoding="utf-8")
        for name in INCLUDE.findall(text):
            path = ROOT / name
            if path.is_file() and path not in found:
                found.append(path)
                waiting.append(path)
    return found


def module_name(source: Path) -> str:
    """``kernels/pool/pool_cuda.cu`` is module ``pool``."""
    return source.stem.removesuffix("_cuda")


def compile_source(nvrtc: Nvrtc, source: Path, architectures: Iterable[int]) -> dict[str, bytes]:
    """The files made from one source: names and contents."""
    name = str(source.relative_to(ROOT)) if source.is_relative_to(ROOT) else source.name
    text = source.read_text(encoding="utf-8")
    options = [*OPTIONS, f"--include-path={ROOT}"]
    files: dict[str, bytes] = {}
    resources: dict[str, dict[str, dict[str, int]]] = {}
    for architecture in architectures:
        made = nvrtc.compile(text, name, [*options, f"--gpu-architecture=sm_{architecture}"])
        files[f"sm_{architecture}.cubin"] = made.cubin
        resources[f"sm_{architecture}"] = {k: r.as_dict() for k, r in Resources.parse(made.log).items()}
    for architecture in PTX:
        made = nvrtc.compile(text, name, [*options, f"--gpu-architecture=compute_{architecture}"])
        files[f"compute_{architecture}.ptx"] = made.ptx.rstrip(b"\0") + b"\0"
    facts = {
        "module": module_name(source),
        "compiler": nvrtc.name,
        "kernels": sorted(ENTRY.findall(made.ptx.decode())),
        "resources": resources,
    }
    files["facts.json"] = json.dumps(facts, indent=1).encode()
    return files


def read_facts(files: dict[str, bytes]) -> dict[str, Any]:
    """The module's name, its kernels, and the resources of each by architecture."""
    facts: dict[str, Any] = json.loads(files["facts.json"])
    return facts


def write_zip(path: Path, files: dict[str, bytes]) -> None:
    """Write an archive without times, so that the same files give the same bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)


def compile_command(options: argparse.Namespace) -> int:
    nvrtc = Nvrtc.find()
    if nvrtc is None:
        print(
            f"{options.source}: NVRTC was there when the build was configured, and no longer is",
            file=sys.stderr,
        )
        return 1
    source = options.source.resolve()
    try:
        files = compile_source(nvrtc, source, options.architecture or CUBINS)
    except CompileError as error:
        print(error, file=sys.stderr)
        return 1
    write_zip(options.output, files)
    if options.depfile:
        needed = " ".join(str(path).replace(" ", "\\ ") for path in (source, *headers_of(source)))
        options.depfile.write_text(f"{options.output}: {needed}\n", encoding="utf-8")
    return 0


def pack_command(options: argparse.Namespace) -> int:
    """Write one file with all images, and C++ that says where each of them is (csrc/gpu/images.h)."""
    blob = bytearray()
    images, kernels, compiler = [], [], ""
    for path in options.modules:
        with zipfile.ZipFile(path) as archive:
            facts = json.loads(archive.read("facts.json"))
            compiler = facts["compiler"]
            kernels += [(kernel, facts["module"]) for kernel in facts["kernels"]]
            for name in archive.namelist():
                target, _, suffix = name.rpartition(".")
                if suffix not in ("cubin", "ptx"):
                    continue
                content = archive.read(name)
                blob += bytes(-len(blob) % 64)
                kind = "kCubin" if suffix == "cubin" else "kPtx"
                number = target.partition("_")[2]
                images.append((facts["module"], kind, number, len(blob), len(content)))
                blob += content
    if problem := duplicates(kernels):
        print(problem, file=sys.stderr)
        return 1
    options.output.write_bytes(blob)
    options.table.write_text(table(options.output, compiler, images, kernels), encoding="utf-8")
    return 0


def duplicates(kernels: Sequence[tuple[str, str]]) -> str:
    """A message if two sources define a kernel of the same name, else an empty string."""
    seen: dict[str, str] = {}
    for kernel, module in kernels:
        if kernel in seen:
            return f"kernel {kernel} is defined in both {seen[kernel]}_cuda.cu and {module}_cuda.cu"
        seen[kernel] = module
    return ""


def table(
    blob: Path,
    compiler: str,
    images: Sequence[tuple[str, str, str, int, int]],
    kernels: Sequence[tuple[str, str]],
) -> str:
    """The C++ that ``pack`` writes."""
    lines = ["// Made by tools/compile_kernels.py.", '#include "csrc/gpu/images.h"', ""]
    if images:
        lines += [
            f'__asm__(".pushsection .rodata\\n.balign 64\\nbindrt_gpu_images:\\n.incbin \\"{blob}\\"\\n"',
            '        ".popsection\\n");',
            'extern "C" __attribute__((visibility("hidden"))) const std::byte bindrt_gpu_images[];',
        ]
    lines += ["", "namespace bindrt::gpu {", "", "const KernelSet& embedded_kernels() {"]
    if images:
        lines += ["  static const Image images[] = {"]
        lines += [
            f'      {{"{module}", ImageKind::{kind}, {number}, {{bindrt_gpu_images + {start}, {size}}}}},'
            for module, kind, number, start, size in images
        ]
        lines += ["  };", "  static const KernelName kernels[] = {"]
        lines += [f'      {{"{kernel}", "{module}"}},' for kernel, module in kernels]
        lines += ["  };", f'  static const KernelSet all{{"{compiler}", images, kernels}};']
    else:
        lines += [f'  static const KernelSet all{{"{compiler}", {{}}, {{}}}};']
    return "\n".join([*lines, "  return all;", "}", "", "}  // namespace bindrt::gpu", ""])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("find", help="print NVRTC's version")
    compiling = commands.add_parser("compile", help="one source, for all architectures")
    compiling.add_argument("source", type=Path)
    compiling.add_argument("-o", "--output", type=Path, required=True)
    compiling.add_argument("--depfile", type=Path)
    compiling.add_argument("--architecture", type=int, action="append", help="89 for sm_89; default: all")
    packing = commands.add_parser("pack", help="all of them as bytes, and a table in C++")
    packing.add_argument("modules", type=Path, nargs="*")
    packing.add_argument("-o", "--output", type=Path, required=True)
    packing.add_argument("--table", type=Path, required=True)
    options = parser.parse_args()
    if options.command == "find":
        nvrtc = Nvrtc.find()
        print(nvrtc.name if nvrtc else "")
        return 0 if nvrtc else 1
    return compile_command(options) if options.command == "compile" else pack_command(options)


if __name__ == "__main__":
    raise SystemExit(main())
