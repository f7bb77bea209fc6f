"""Choices that were measured on this machine, kept in the user's cache folder."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from typing import Any

from bindrt import hardware
from bindrt.bundle.manifest import EngineFiles
from bindrt.cache import cache_folder, read_record, write_record
from bindrt.engines import ENGINES, EngineSettings
from bindrt.numeric import is_positive
from bindrt.selection.opening import files_key

LOG = logging.getLogger(__name__)


def compared(found: Sequence[EngineFiles]) -> str:
    """The precisions among which is chosen."""
    return ", ".join(dict.fromkeys(e.precision for e in found))


def labels(found: Sequence[EngineFiles]) -> list[str]:
    """A name for each: the engine, its target if that is a GPU, and the precision where there are several."""
    several = len({e.precision for e in found}) > 1
    return [
        " ".join((e.engine, *([e.precision] if several else []), *([e.target] if e.target != "cpu" else [])))
        for e in found
    ]


def read_choice(
    what: str, groups: Sequence[Sequence[EngineFiles]], settings: EngineSettings
) -> dict[str, Any] | None:
    """What ``keep_choice`` kept of the same on this machine; None if nothing, or what is there is damaged."""
    folder = cache_folder("choices")
    if folder is None:
        return None
    key = _key(groups, settings)
    record = read_record(folder / f"{what}-{key}.json")
    return record if record is not None and record.get("key") == key else None


def keep_choice(
    what: str, groups: Sequence[Sequence[EngineFiles]], settings: EngineSettings, record: dict[str, Any]
) -> None:
    """Remember a choice on this machine.

    Args:
        what: the beginning of the file's name.
        groups: the files that it was made among.
        record: JSON.
    """
    folder = cache_folder("choices")
    if folder is None:
        text = "%s: the choice is not remembered, since the cache folder cannot be written"
        LOG.warning(text, f"{record['bundle']} {record['encoder']} {record['precision']}")
        return
    key = _key(groups, settings)
    write_record(folder / f"{what}-{key}.json", {**record, "key": key})


def _key(groups: Sequence[Sequence[EngineFiles]], settings: EngineSettings) -> str:
    """A hash of what a choice depends on: the machine, the engines, their files and settings."""
    cpu, driver = hardware.cpu(), hardware.nvidia_driver()
    depends = {
        "cpu": [cpu.model, cpu.usable_cores],
        "gpus": [[gpu.name, gpu.memory] for gpu in driver.gpus],
        "engines": [
            [name, ENGINES[e.engine].version(), e.encoder, e.precision, files_key(e)]
            for found in groups
            for name, e in zip(labels(found), found, strict=True)
        ],
        "settings": [
            settings.device,
            settings.threads,
            settings.startup,
            repr(sorted(settings.options.items())),
        ],
    }
    return hashlib.sha256(json.dumps(depends).encode()).hexdigest()[:32]


def remembered() -> Iterator[dict[str, Any]]:
    """Every choice of this user, for ``doctor``.

    Yields:
        ``bundle``, ``encoder`` (several where their space was chosen), ``precision`` (those compared),
        ``chosen``, ``why``, and ``seconds`` by precision.
    """
    folder = cache_folder("choices")
    if folder is None:
        return
    for path in sorted(folder.glob("*.json"))[:1000]:
        record = read_record(path)
        keys = ("bundle", "encoder", "precision", "chosen", "why")
        if record is not None and all(isinstance(record.get(key), str) for key in keys):
            yield {key: record[key] for key in keys} | {"seconds": _seconds(record)}


def _seconds(record: dict[str, Any]) -> dict[str, float]:
    """By precision, what one item took in the fastest engine; empty in a record of an earlier version."""
    seconds, precisions = record.get("seconds"), record.get("precisions")
    found: dict[str, float] = {}
    if isinstance(seconds, dict) and isinstance(precisions, dict):
        for name, precision in precisions.items():
            if isinstance(precision, str) and is_positive(seconds.get(name)):
                found[precision] = min(float(seconds[name]), found.get(precision, float("inf")))
    return found
