"""A Markdown table of the resources of each GPU kernel, by NVRTC, which builds ours, and by nvcc.

    kernel_resources.py [--architecture 87 ...]     # default: Jetson Orin, RTX 40, H100

It shows registers, bytes of static shared memory, and bytes spilled to memory, for one thread. Without nvcc
(CUDA's toolkit) its columns are missing. No kernel runs: the assemblers report these numbers.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from compile_kernels import ROOT, compile_source, module_name, read_facts
from nvrtc import CompileError, Nvrtc, Resources

NAMES = {87: "Jetson Orin", 89: "RTX 40", 90: "H100"}
#: What one compiler reports about one source: the resources of each kernel.
Report = dict[str, Resources]


def find_nvcc() -> str | None:
    return shutil.which("nvcc") or shutil.which("nvcc", path="/usr/local/cuda/bin")


def by_nvcc(nvcc: str, source: Path, architecture: int) -> Report:
    command = [nvcc, "-std=c++20", "--fmad=false", f"-arch=sm_{architecture}", "-Xptxas", "-v", "-cubin"]
    command += [
        "--expt-relaxed-constexpr"
    ]  # NVRTC takes constexpr functions for the device without being told
    command += ["-I", str(ROOT), "-o", "/dev/null", str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CompileError(f"{source.name}: {' '.join(command)}\n{done.stderr}")
    return Resources.parse(done.stderr)


def nvcc_version(nvcc: str) -> str:
    said = subprocess.run([nvcc, "--version"], capture_output=True, text=True, check=True).stdout
    return "nvcc " + said.partition("release ")[2].partition(",")[0]


def cell(taken: Resources) -> str:
    """``40``; ``40, 2048 shared, 12 spilled`` where there is more to say."""
    text = str(taken.registers)
    if taken.shared:
        text += f", {taken.shared} shared"
    if spilled := taken.spill_stores + taken.spill_loads:
        text += f", **{spilled} spilled**"
    return text


def table(reports: dict[tuple[str, int], Report], kernels: Sequence[str]) -> str:
    heads = [f"{NAMES.get(arch, '')} sm_{arch}, {name}".strip() for name, arch in reports]
    lines = ["| kernel | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for kernel in kernels:
        cells = [cell(report[kernel]) for report in reports.values()]
        lines.append(f"| `{kernel.removeprefix('bindrt_')}` | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--architecture", type=int, action="append", help="89 for sm_89")
    parser.add_argument("sources", type=Path, nargs="*", help="default: kernels/*/*_cuda.cu")
    options = parser.parse_args()
    sources = options.sources or sorted((ROOT / "kernels").glob("*/*_cuda.cu"))
    nvrtc, nvcc = Nvrtc.find(), find_nvcc()
    if nvrtc is None or not sources:
        print("needs NVRTC (nvidia-cuda-nvrtc-cu12)" if sources else "there are no kernels", file=sys.stderr)
        return 1
    architectures = options.architecture or list(NAMES)
    reports: dict[tuple[str, int], Report] = {}
    kernels: list[str] = []
    try:
        for source in sources:
            facts = read_facts(compile_source(nvrtc, source.resolve(), architectures))
            kernels += facts["kernels"]
            for arch in architectures:
                mine = {k: Resources(**taken) for k, taken in facts["resources"][f"sm_{arch}"].items()}
                reports.setdefault((nvrtc.name, arch), {}).update(mine)
                if nvcc:
                    theirs = by_nvcc(nvcc, source.resolve(), arch)
                    reports.setdefault((nvcc_version(nvcc), arch), {}).update(theirs)
            print(f"{module_name(source)}: done", file=sys.stderr)
    except CompileError as error:
        print(error, file=sys.stderr)
        return 1
    print(table(reports, kernels))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
