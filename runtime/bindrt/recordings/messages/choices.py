"""Which topics are read, as which modality, and with which options."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from bindrt.errors import OptionError
from bindrt.recordings.messages.kinds import INFOS, MODALITIES_OF, kind_of
from bindrt.recordings.raw import Topic


@dataclass(frozen=True)
class Choice:
    """How a topic is read.

    Attributes:
        modality: None: what its type and encoding say.
        options: fields of the modality's wrapper, for example ``unit`` of depth; for audio without an
            AudioInfo ``rate``, ``channels``, ``sample_format`` and ``coding``.
    """

    modality: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


def chosen_topics(topics: Collection[Topic], choices: Mapping[str, Choice], name: str) -> dict[Topic, Choice]:
    """The topics that are read: those chosen, or if none is, all whose type is known.

    Raises:
        OptionError: a chosen topic is not there, or its type is not of the modality.
    """
    if not choices:
        return {topic: Choice() for topic in topics if kind_of(topic.type) in MODALITIES_OF}
    found = {}
    for wanted, choice in choices.items():
        fitting = [topic for topic in topics if topic.name == wanted]
        if not fitting:
            readable = [topic.name for topic in topics if kind_of(topic.type) in MODALITIES_OF]
            there = f"it has {', '.join(readable)}" if readable else "it has none that bindrt reads"
            raise OptionError(f"topic {wanted}", f"{name} does not have it", there)
        for topic in fitting:
            allowed = MODALITIES_OF.get(kind_of(topic.type), ())
            if not allowed:
                remedy = "see docs/recordings.md for the types that are read"
                what = "tells about other topics" if kind_of(topic.type) in INFOS else "is not read"
                raise OptionError(f"topic {wanted}", f"its type {topic.type} {what}", remedy)
            if choice.modality is not None and choice.modality not in allowed:
                raise OptionError(
                    f"topic {wanted}",
                    f"{topic.type} holds no {choice.modality}",
                    f"it is {' or '.join(allowed)}",
                )
            found[topic] = choice
    return found
