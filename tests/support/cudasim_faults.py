"""Faults planted in the CUDA kernels: each must be reported by the build that is made for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from . import cpp


@dataclass(frozen=True)
class Fault:
    """`old`, which stands in the kernel's file exactly once, becomes `new`; the op's test then must fail."""

    name: str
    op: str  # kernels/*/<op>_cuda.cu or tests/cudasim/<op>_cuda.cu
    old: str
    new: str
    kind: str  # the build that reports it
    report: str  # regular expression of what it says
    options: str = "order=forward"
    header: str = ""  # the fault is in this file, which the kernel's includes

    @property
    def kernel(self) -> Path:
        ours = next((cpp.ROOT / "kernels").glob(f"*/{self.op}_cuda.cu"), None)
        return ours or cpp.ROOT / "tests" / "cudasim" / f"{self.op}_cuda.cu"

    @property
    def program(self) -> str:
        """The op's test, which passes without the fault."""
        name = f"test_{self.op}_cuda"
        return name if any((cpp.ROOT / "tests" / "kernels").glob(f"*/{name}.cpp")) else f"test_{self.op}"

    def damaged(self) -> str:
        """The file's text with the fault; ValueError if `old` does not stand there exactly once."""
        path = cpp.ROOT / self.header if self.header else self.kernel
        text = path.read_text()
        if (count := text.count(self.old)) != 1:
            raise ValueError(f"{self.name}: the text to replace stands {count} times in {path.name}")
        return text.replace(self.old, self.new)

    def files(self) -> dict[str, str]:
        """What to compile: the kernel, and the header that its includes find first."""
        if not self.header:
            return {self.kernel.name: self.damaged()}
        return {self.kernel.name: self.kernel.read_text(), self.header: self.damaged()}


def plant(tree: Path, kinds: tuple[str, ...], faults: tuple[Fault, ...]) -> None:
    """Write the damaged files for a build tree, and nothing else, where its CMake looks for them."""
    wanted: dict[Path, str] = {}
    for fault in faults:
        if fault.kind not in kinds:
            continue
        try:
            files = fault.files()
        except (ValueError, OSError):
            continue  # its own test says so
        folder = tree / "faults" / fault.kind / fault.name
        wanted.update({folder / name: text for name, text in files.items()})
    for path in (tree / "faults").rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
