"""``bindrt.doctor``: look at this installation and this machine, and report."""

from __future__ import annotations

import platform

from bindrt import hardware
from bindrt.diagnosis.looking import (
    conflicts,
    installed,
    look,
    look_at_core,
    look_for_export,
    look_for_nvcc,
    look_for_nvdec,
    look_for_nvrtc,
)
from bindrt.diagnosis.report import Report
from bindrt.diagnosis.wanted import libraries, wanted_engine
from bindrt.engines import ENGINES
from bindrt.loaded_encoders import loaded_models
from bindrt.selection.choices import remembered
from bindrt.selection.gains import machine_gain


def doctor() -> Report:
    """Look at this installation and this machine.

    Takes about a second, since it imports the engines. Never raises for what is missing or broken: that
    stands in the report, with what it would give and how to get it.

    Returns:
        A report that prints as text; ``as_dict()`` for JSON, ``healthy`` and ``problems`` for scripts.

    Example:
        >>> bindrt.doctor().healthy
        True
    """
    core, core_problem = look_at_core()
    features = tuple(name for name, present in core.get("cpu_features", {}).items() if present)
    own = libraries()
    wanted = [*own, *(wanted_engine(kind) for kind in ENGINES.values())]
    parts = [look(one) for one in wanted]
    missing = [
        str(part) for one, part in zip(wanted, parts, strict=True) if not (one.optional or part.present)
    ]
    version, choices = installed(("bindrt",)), tuple(remembered())
    return Report(
        version=version[0][1] if version else "not installed (run from its source)",
        core=core,
        core_problem=core_problem,
        python=f"{platform.python_implementation()} {platform.python_version()}",
        system=platform.platform(),
        cpu=hardware.cpu(features),
        gain=machine_gain(choices),
        driver=hardware.nvidia_driver(),
        libraries=(*parts[: len(own)], look_for_nvdec(), look_for_export()),
        engines=tuple(parts[len(own) :]),
        tools=(look_for_nvrtc(), look_for_nvcc()),
        choices=choices,
        models=tuple(loaded_models()),
        problems=(*([core_problem] if core_problem else []), *missing, *conflicts()),
    )
