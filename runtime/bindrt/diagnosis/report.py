"""What the doctor finds, as values and as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from bindrt import _core, hardware

GIB = 1 << 30


@dataclass(frozen=True)
class Part:
    """One library, engine or tool.

    Attributes:
        name: its usual name.
        present: it is installed and works.
        version: empty if unknown.
        detail: what else there is to know, for example the version of the C library inside.
        gives: what it is for.
        remedy: how to get it or repair it; empty if nothing is to be done.
    """

    name: str
    present: bool
    version: str = ""
    detail: str = ""
    gives: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        if self.present:
            text = " ".join(word for word in (self.name, self.version) if word)
            text += f" ({self.detail})" if self.detail else ""
        else:
            text = f"{self.name}: {self.detail or 'not installed'}; gives {self.gives}"
        return f"{text}; {self.remedy}" if self.remedy else text


@dataclass(frozen=True)
class Report:
    """What :func:`bindrt.doctor` found.

    Attributes:
        version: the version of bindrt.
        core: how the compiled module was built; empty if it does not load, then see ``core_problem``.
        gain: what this processor's units for short numbers could gain; empty if it has none.
        choices: what ``engine="auto"`` measured and remembers: bundle, encoder, precision (those that were
            compared), chosen, why, seconds by precision.
        models: the models of this process that have encoders in memory: name, budget, bytes by encoder.
        problems: what keeps bindrt from working as installed; empty on a healthy machine.
    """

    version: str
    core: dict[str, Any]
    core_problem: str
    python: str
    system: str
    cpu: hardware.Cpu
    gain: str
    driver: hardware.Driver
    libraries: tuple[Part, ...]
    engines: tuple[Part, ...]
    tools: tuple[Part, ...]
    choices: tuple[dict[str, Any], ...]
    models: tuple[dict[str, Any], ...]
    problems: tuple[str, ...]

    @property
    def healthy(self) -> bool:
        """Everything that the base installation promises is there."""
        return not self.problems

    def as_dict(self) -> dict[str, Any]:
        """The same as plain dicts, lists, strings and numbers, for JSON."""
        plain = asdict(self)
        for name in ("libraries", "engines", "tools", "choices", "models", "problems"):
            plain[name] = list(plain[name])
        plain["cpu"]["features"] = list(plain["cpu"]["features"])
        plain["driver"]["gpus"] = list(plain["driver"]["gpus"])
        return {**plain, "healthy": self.healthy}

    def __str__(self) -> str:
        return "\n".join(
            (
                *self._build_lines(),
                *self._cpu_lines(),
                *self._gpu_lines(),
                *part_lines("Libraries", self.libraries),
                *part_lines("Engines", self.engines),
                *part_lines("Build tools", self.tools),
                *self._choice_lines(),
                *self._model_lines(),
                *self._problem_lines(),
            )
        )

    __repr__ = __str__  # a report is read at the prompt

    def _build_lines(self) -> Iterator[str]:
        yield f"bindrt {self.version}, {self.python}, {self.system}"
        if self.core:
            yield f"  compiled by {self.core['compiler']}, {self.core['build_type']}"
            yield f"  {kernels_text(self.core.get('gpu_kernels'))}"

    def _cpu_lines(self) -> Iterator[str]:
        cpu = self.cpu
        yield f"CPU: {cpu.model} ({cpu.machine}), {cpu.cores} cores, {cpu.usable_cores:g} usable"
        yield f"  {' '.join(cpu.features) or 'features unknown'}"
        yield f"  memory {cpu.memory / GIB:.1f} GiB, {cpu.available / GIB:.1f} free"
        if self.gain:
            yield f"  {self.gain}"

    def _gpu_lines(self) -> Iterator[str]:
        """The driver, and each device with the code that would run on it."""
        driver = self.driver
        first = f"GPU: {driver.problem or f'driver for CUDA {driver.cuda}'}"
        if driver.simulated:
            first += f", simulated by {driver.library}: no GPU"
        elif driver.present and driver.library != "libcuda.so.1":
            first += f", {driver.library}"
        yield first
        for gpu in driver.gpus:
            text = f"  {gpu.name}, capability {gpu.capability}, {gpu.memory / GIB:.0f} GiB"
            yield text + (code_text(gpu.capability) if self.core.get("gpu_kernels") else "")
        if not driver.present:
            yield "  TensorRT needs an NVIDIA GPU and its driver"

    def _choice_lines(self) -> Iterator[str]:
        if self.choices:
            yield "Chosen as the fastest here:"
        for c in self.choices:
            yield f"  {c['bundle']} {c['encoder']} {c['precision']}: {c['chosen']}, since {c['why']}"

    def _model_lines(self) -> Iterator[str]:
        if self.models:
            yield "Models in memory:"
        for model in self.models:
            budget = "" if model["budget"] is None else f", at most {model['budget'] / 1e6:.1f} MB"
            yield f"  {model['model']}{budget}"
            for name, held in model["encoders"].items():
                weights, batches = held["weights"] / 1e6, held["batches"] / 1e6
                device = f", {held['device'] / 1e6:.1f} MB on the GPU" if "device" in held else ""
                yield f"    {name}: {weights:.1f} MB and up to {batches:.1f} MB of batches{device}"

    def _problem_lines(self) -> Iterator[str]:
        yield "Problems:" if self.problems else "All well."
        for problem in self.problems:
            yield f"  ! {problem}"


def part_lines(title: str, parts: tuple[Part, ...]) -> Iterator[str]:
    yield f"{title}:"
    for part in parts:
        yield f"  {'+' if part.present else '-'} {part}"


def kernels_text(kernels: dict[str, Any] | None) -> str:
    if kernels is None:
        return "GPU kernels: none; to have them, build bindrt where nvidia-cuda-nvrtc-cu12 is installed"
    size = kernels["bytes"] / (1 << 20)
    return f"GPU kernels: {kernels['compiler']}, {size:.1f} MiB, {', '.join(kernels['targets'])}"


def code_text(capability: str) -> str:
    """Which of our kernels a GPU would run."""
    target = _core.gpu.target(capability)
    if not target:
        return ": too old for our kernels, which need 7.5"
    return f", runs {target}" + (
        ", which the driver compiles at first use" if target.startswith("compute") else ""
    )
