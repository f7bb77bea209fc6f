"""``--topic T=M``: which topics are read, and as what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bindrt.commands.item_options import parse_pairs
from bindrt.errors import OptionError
from bindrt.item_options import check_options, item_options
from bindrt.modalities import MODALITIES
from bindrt.recordings import Choice

#: Options of audio topics whose AudioInfo is missing.
_AUDIO = ("rate", "channels", "sample_format", "coding")


def parse_topics(texts: Sequence[str]) -> dict[str, Choice]:
    """What ``--topic`` says, by topic.

    >>> parse_topics(["/mic=audio,rate=16000", "/cam"])["/mic"].options
    {'rate': 16000}

    Raises:
        OptionError: an unknown modality or option, or a topic twice.
    """
    found: dict[str, Choice] = {}
    for text in texts:
        topic, equals, rest = text.partition("=")
        where = f"--topic {text}"
        modality, *parts = rest.split(",")
        if not topic or (equals and not modality):
            raise OptionError(where, "not TOPIC=MODALITY", "for example --topic /camera/depth=depth,unit=mm")
        if topic in found:
            raise OptionError(where, "the topic is named twice", "name it once")
        if equals and modality not in MODALITIES:
            raise OptionError(where, f"{modality!r} is no modality", f"one of {', '.join(MODALITIES)}")
        pairs = parse_pairs(parts, where)
        if pairs and modality == "imu":
            raise OptionError(where, "a topic of imu has no options", "leave them out")
        options = _audio_options(pairs, where) if modality == "audio" else _options(modality, pairs, where)
        found[topic] = Choice(modality or None, options)
    return found


def _audio_options(pairs: dict[str, str], where: str) -> dict[str, Any]:
    for name, value in pairs.items():
        if name not in _AUDIO or (name in ("rate", "channels") and not value.isdecimal()):
            problem = f"{name}={value} cannot be" if name in _AUDIO else f"audio has no option {name!r}"
            raise OptionError(where, problem, "for example rate=16000,channels=1,sample_format=S16LE")
    return {name: int(value) if name in ("rate", "channels") else value for name, value in pairs.items()}


def _options(modality: str, pairs: dict[str, str], where: str) -> dict[str, Any]:
    """Options of the modality's wrapper, read as on the command line."""
    check_options(pairs, modality, where)
    return {name: item_options()[name].readers[modality].read(value) for name, value in pairs.items()}
