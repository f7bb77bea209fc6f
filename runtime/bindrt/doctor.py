"""What is here and what is missing: ``bindrt.doctor()`` and ``python -m bindrt doctor``.

Looks, and never fails: whatever is absent or broken stands in the report with what it would give and
how to get it. Nothing here imports torch.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from bindrt import hardware


@dataclass(frozen=True)
class Part:
    """One library, engine or tool.

    Attributes:
        name: as people call it.
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
    """What :func:`doctor` found.

    Attributes:
        version: of bindrt.
        core: how the compiled module was built; empty if it does not load, then see ``core_problem``.
        choices: what ``engine="auto"`` measured and remembers: bundle, encoder, precision, chosen, why.
        models: that have encoders in memory in this process: name, budget, bytes by encoder.
        problems: what keeps bindrt from working as installed; empty on a healthy machine.
    """

    version: str
    core: dict[str, Any]
    core_problem: str
    python: str
    system: str
    cpu: hardware.Cpu
    driver: hardware.Driver
    libraries: tuple[Part, ...]
    engines: tuple[Part, ...]
    tools: tuple[Part, ...]
    choices: tuple[dict[str, str], ...]
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
        return "\n".join(_lines(self))

    __repr__ = __str__  # a report is read at the prompt


@dataclass(frozen=True)
class _Wanted:
    """A library to look for: the distributions that may bring it, and the module to import."""

    name: str
    module: str
    gives: str
    remedy: str
    distributions: tuple[str, ...]
    detail: Callable[[Any], str] = lambda module: ""
    alternative: str = ""  # a module that serves as well


_BASE = "pip install --force-reinstall bindrt"
_LIBRARIES = (
    _Wanted("NumPy", "numpy", "arrays", _BASE, ("numpy",)),
    _Wanted("Pillow", "PIL", "image files", _BASE, ("pillow",)),
    _Wanted(
        "soundfile",
        "soundfile",
        "WAV, FLAC and Ogg files",
        _BASE,
        ("soundfile",),
        lambda m: f"libsndfile {m.__libsndfile_version__}",
    ),
    _Wanted(
        "PyAV",
        "av",
        "video files and compressed audio",
        _BASE,
        ("av",),
        lambda m: f"FFmpeg {m.ffmpeg_version_info}",
    ),
    _Wanted("tokenizers", "tokenizers", "text", _BASE, ("tokenizers",)),
    _Wanted("ftfy", "ftfy", "text", _BASE, ("ftfy",)),
    _Wanted("pyarrow", "pyarrow", "Parquet output of bind-embed", _BASE, ("pyarrow",)),
    _Wanted("rich", "rich", "progress of the commands", _BASE, ("rich",)),
    _Wanted("usearch", "usearch", "search indexes", "pip install 'bindrt[index]'", ("usearch",)),
    _Wanted(
        "prometheus_client",
        "prometheus_client",
        "metrics for Prometheus",
        "pip install 'bindrt[metrics]'",
        ("prometheus-client",),
    ),
)
_EXTRAS = ("usearch", "prometheus_client")
_ENGINES = (
    _Wanted(
        "onnxruntime",
        "onnxruntime",
        "the default engine on CPUs",
        _BASE,
        ("onnxruntime", "onnxruntime-gpu"),
        lambda m: ", ".join(name.removesuffix("ExecutionProvider") for name in m.get_available_providers()),
    ),
    _Wanted(
        "openvino",
        "openvino",
        "Intel CPUs, GPUs and NPUs, Arm CPUs",
        "pip install 'bindrt[openvino]'",
        ("openvino",),
        lambda m: ", ".join(m.Core().available_devices),
    ),
    _Wanted(
        "tensorrt",
        "tensorrt",
        "NVIDIA GPUs, fastest; plans for the GPU they were built on",
        "on a machine with an NVIDIA GPU: pip uninstall onnxruntime; pip install 'bindrt[gpu]'",
        ("tensorrt", "tensorrt-cu13", "tensorrt-cu12"),
        lambda m: _without_gpu(),
        "tensorrt_bindings",
    ),
    _Wanted(
        "tensorrt-rtx",
        "tensorrt_rtx",
        "NVIDIA RTX GPUs; plans built on any machine",
        "pip install 'bindrt[rtx]', not beside 'bindrt[gpu]'",
        ("tensorrt-rtx", "tensorrt-rtx-cu13", "tensorrt-rtx-cu13-bindings", "tensorrt-rtx-cu12"),
        lambda m: _without_gpu(),
        "tensorrt_rtx_bindings",
    ),
)
#: Distributions that overwrite or exclude each other.
_CONFLICTS = (
    (
        ("onnxruntime", "onnxruntime-gpu"),
        "both install the module onnxruntime: pip uninstall both, then install the one you want",
    ),
    (("tensorrt", "tensorrt-rtx"), "they read different plans: keep one of the extras gpu and rtx"),
)


def _installed(distributions: tuple[str, ...]) -> list[tuple[str, str]]:
    """Name and version of those that are installed."""
    found = []
    for name in distributions:
        try:
            found.append((name, importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _module_of(wanted: _Wanted) -> str:
    usable = not wanted.alternative or importlib.util.find_spec(wanted.module) is not None
    return wanted.module if usable else wanted.alternative


def _look(wanted: _Wanted) -> Part:
    """Import a library and see; anything it raises is a finding, not a failure."""
    installed = _installed(wanted.distributions)
    version = installed[0][1] if installed else ""
    try:
        module = importlib.import_module(_module_of(wanted))
    except Exception as error:
        if not installed:
            return Part(wanted.name, False, gives=wanted.gives, remedy=wanted.remedy)
        broken = f"{version} is installed but does not load: {type(error).__name__}: {error}"
        return Part(wanted.name, False, version, broken, wanted.gives, wanted.remedy)
    try:
        detail = wanted.detail(module)
    except Exception as error:
        detail = f"loads, but does not answer: {error}"
    return Part(wanted.name, True, version or str(getattr(module, "__version__", "")), detail, wanted.gives)


def _without_gpu() -> str:
    return "" if hardware.nvidia_driver().gpus else "builds plans; runs none here, for want of a GPU"


def _choices() -> tuple[dict[str, str], ...]:
    try:
        return tuple(importlib.import_module("bindrt.selection.auto").remembered())
    except Exception:  # the report says elsewhere which library is missing
        return ()


def _models() -> tuple[dict[str, Any], ...]:
    try:
        return tuple(importlib.import_module("bindrt.loaded_encoders").loaded_models())
    except Exception:  # as above
        return ()


def _look_for_nvcc() -> Part:
    gives = "a second compiler for the GPU kernels, for developers of bindrt"
    home = os.environ.get("CUDA_HOME") or os.environ.get("CUDA_PATH") or "/usr/local/cuda"
    path = shutil.which("nvcc") or shutil.which("nvcc", path=os.path.join(home, "bin"))
    if path is None:
        return Part("nvcc", False, gives=gives, remedy="install NVIDIA's CUDA toolkit")
    try:
        said = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return Part("nvcc", False, detail=f"{path} does not run: {error}", gives=gives)
    version = said.partition("release ")[2].partition(",")[0]
    return Part("nvcc", True, version, path, gives)


def _look_for_nvrtc() -> Part:
    found = _installed(("nvidia-cuda-nvrtc-cu12", "nvidia-cuda-nvrtc", "nvidia-cuda-nvrtc-cu13"))
    gives = "the compiler of the GPU kernels, for building bindrt; not needed to run"
    if not found:
        return Part("NVRTC", False, gives=gives)
    return Part("NVRTC", True, found[0][1], found[0][0], gives)


def _core() -> tuple[dict[str, Any], str]:
    """How the compiled module was built, or why it does not load."""
    try:
        return dict(importlib.import_module("bindrt._core").build_info()), ""
    except Exception as error:
        return {}, f"bindrt._core does not load: {error}; {_BASE}"


def _version() -> str:
    installed = _installed(("bindrt",))
    return installed[0][1] if installed else "not installed (run from its source)"


def _problems(core_problem: str, base: list[Part]) -> tuple[str, ...]:
    found = [core_problem] if core_problem else []
    found += [str(part) for part in base if not part.present]
    for names, why in _CONFLICTS:
        both = [name for name, _ in _installed(names)]
        if len(both) > 1:
            found.append(f"{' and '.join(both)} are both installed; {why}")
    return tuple(found)


def doctor() -> Report:
    """Look at this installation and this machine.

    Takes about a second, since it imports the engines. Never raises for what is missing or broken.

    Returns:
        A report that prints as text; ``as_dict()`` for JSON, ``healthy`` and ``problems`` for scripts.
    """
    core, core_problem = _core()
    features = tuple(name for name, present in core.get("cpu_features", {}).items() if present)
    libraries = tuple(_look(wanted) for wanted in _LIBRARIES)
    engines = tuple(_look(wanted) for wanted in _ENGINES)
    base = [part for part in libraries if part.name not in _EXTRAS] + [engines[0]]
    return Report(
        version=_version(),
        core=core,
        core_problem=core_problem,
        python=f"{platform.python_implementation()} {platform.python_version()}",
        system=platform.platform(),
        cpu=hardware.cpu(features),
        driver=hardware.nvidia_driver(),
        libraries=libraries,
        engines=engines,
        tools=(_look_for_nvrtc(), _look_for_nvcc()),
        choices=_choices(),
        models=_models(),
        problems=_problems(core_problem, base),
    )


def _kernels_text(kernels: dict[str, Any] | None) -> str:
    if kernels is None:
        return "GPU kernels: none; to have them, build bindrt where nvidia-cuda-nvrtc-cu12 is installed"
    size = kernels["bytes"] / (1 << 20)
    return f"GPU kernels: {kernels['compiler']}, {size:.1f} MiB, {', '.join(kernels['targets'])}"


def _gpu_lines(report: Report) -> list[str]:
    """The driver, and each device with the code that would run on it."""
    driver = report.driver
    lines = [f"GPU: {driver.problem or f'driver for CUDA {driver.cuda}'}"]
    if driver.simulated:
        lines[0] += f", simulated by {driver.library}: no GPU"
    elif driver.present and driver.library != "libcuda.so.1":
        lines[0] += f", {driver.library}"
    for gpu in driver.gpus:
        text = f"  {gpu.name}, capability {gpu.capability}, {gpu.memory / (1 << 30):.0f} GiB"
        if report.core.get("gpu_kernels"):
            target = importlib.import_module("bindrt._core").gpu.target(gpu.capability)
            text += f", runs {target}" if target else ": too old for our kernels, which need 7.5"
            text += ", which the driver compiles at first use" if target.startswith("compute") else ""
        lines.append(text)
    if not driver.present:
        lines.append("  an NVIDIA GPU and its driver are what TensorRT needs")
    return lines


def _model_lines(model: dict[str, Any]) -> list[str]:
    budget = "" if model["budget"] is None else f", at most {model['budget'] / 1e6:.1f} MB"
    return [f"  {model['model']}{budget}"] + [
        f"    {name}: {m['weights'] / 1e6:.1f} MB and up to {m['batches'] / 1e6:.1f} MB of batches"
        for name, m in model["encoders"].items()
    ]


def _lines(report: Report) -> list[str]:
    """The report as text, one finding a line."""
    cpu = report.cpu
    lines = [f"bindrt {report.version}, {report.python}, {report.system}"]
    if report.core:
        lines.append(f"  compiled by {report.core['compiler']}, {report.core['build_type']}")
        lines.append(f"  {_kernels_text(report.core.get('gpu_kernels'))}")
    gib = 1 << 30
    lines += [
        f"CPU: {cpu.model} ({cpu.machine}), {cpu.cores} cores, {cpu.usable_cores:g} usable",
        f"  {' '.join(cpu.features) or 'features unknown'}",
        f"  memory {cpu.memory / gib:.1f} GiB, {cpu.available / gib:.1f} free",
    ]
    lines += _gpu_lines(report)
    for title, parts in (
        ("Libraries", report.libraries),
        ("Engines", report.engines),
        ("Build tools", report.tools),
    ):
        lines += [f"{title}:", *(f"  {'+' if part.present else '-'} {part}" for part in parts)]
    if report.choices:
        lines.append("Chosen by engine='auto':")
        lines += [
            f"  {c['bundle']} {c['encoder']} {c['precision']}: {c['chosen']}, since {c['why']}"
            for c in report.choices
        ]
    if report.models:
        lines += ["Models in memory:", *(line for m in report.models for line in _model_lines(m))]
    lines += (
        ["Problems:", *(f"  ! {problem}" for problem in report.problems)]
        if report.problems
        else ["All well."]
    )
    return lines
