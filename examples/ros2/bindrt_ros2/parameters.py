"""The node's parameters: declared with what they mean, checked when they are set and when they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)

import bindrt
from bindrt.commands.stream_topics import parse_topics
from bindrt.recordings import Choice
from bindrt.recordings.embedding import WindowOptions
from bindrt_ros2.joint import JOINT

_POLICIES = ("latest", "even", "all")
_HEAVIEST = 1e6  # weight of a topic


@dataclass(frozen=True)
class Declared:
    """A parameter. ``least`` and ``most`` bound a number."""

    name: str
    default: Any
    meaning: str
    least: float = 0
    most: float = 0


PARAMETERS = (
    Declared("bundle", "tiny", "NAME.bind of bind-export; tiny is a small model that comes with bindrt"),
    Declared("topics", [""], "TOPIC=MODALITY[,NAME=VALUE…], as bind-stream --topic"),
    Declared("types", [""], "TOPIC=TYPE for topics of another type than their modality's usual one"),
    Declared("window", 0.0, "seconds of a window; 0: 2 for audio and video, 5 for imu", 0, 600),
    Declared("hop", 1.0, "seconds from a window, or a picture that is taken, to the next", 0.01, 600),
    Declared("policy", "latest", f"when the model is slower than the sensor: {', '.join(_POLICIES)}"),
    Declared("queue", 8, "windows of a topic that may wait", 1, 100_000),
    Declared("joint", [""], "TOPIC or TOPIC=WEIGHT, at least two: topics whose vectors are joined"),
    Declared("joint_max_age", 1.0, "seconds by which a part may be older than the newest", 0.001, 600),
    Declared("prompts", "", "a file of prompts as bind-stream --prompts takes: publishes scores and events"),
    Declared(
        "max_staleness", 1.0, "seconds from a window's last sample to its vector that are no warning", 0, 600
    ),
    Declared("engine", "auto", "onnxruntime, native, openvino, tensorrt; auto: the fastest here"),
    Declared("device", "auto", "auto, cpu, cuda, cuda:N"),
    Declared("precision", "", "for example int8; empty: the bundle's"),
    Declared("threads", 0, "of the engine; 0: all that the process may use", 0, 1024),
    Declared("qos_depth", 50, "messages of a topic that may wait for their callback", 1, 10_000),
    Declared("diagnostics_period", 1.0, "seconds from one message of diagnostics to the next", 0.1, 3600),
)


@dataclass(frozen=True)
class Settings:
    """What the parameters say.

    Attributes:
        topics: how each topic is read; each has a modality.
        types: the types of their messages, where they are told.
        load: arguments of ``bindrt.load``.
        joint: the weights of the topics whose vectors are joined; empty: none are.
    """

    load: Mapping[str, Any]
    topics: Mapping[str, Choice]
    types: Mapping[str, str]
    windows: WindowOptions
    policy: Any
    queue: int
    joint: Mapping[str, float]
    joint_max_age: float
    prompts: Path | None
    max_staleness: float
    qos_depth: int
    diagnostics_period: float


def declare(node: Any) -> None:
    """Declares all parameters, and checks them whenever they are set."""
    for each in PARAMETERS:
        node.declare_parameter(each.name, each.default, _descriptor(each))
    node.add_on_set_parameters_callback(_checked)


def read(node: Any) -> Settings:
    """The settings.

    Raises:
        bindrt.OptionError: a parameter has a value that it cannot have.
    """
    value = {each.name: node.get_parameter(each.name).value for each in PARAMETERS}
    topics = _topics(value["topics"])
    if not topics:
        raise bindrt.OptionError("parameter topics", "it names none", "for example ['/imu/data=imu']")
    _policy(value["policy"])
    return Settings(
        load={
            "path": value["bundle"],
            "engine": value["engine"],
            "device": value["device"],
            "precision": value["precision"] or None,
            "threads": value["threads"] or None,
        },
        topics=topics,
        types=_types(value["types"]),
        windows=WindowOptions(value["window"] or None, value["hop"]),
        policy=value["policy"],
        queue=value["queue"],
        joint=_joint(value["joint"], topics),
        joint_max_age=value["joint_max_age"],
        prompts=Path(value["prompts"]) if value["prompts"] else None,
        max_staleness=value["max_staleness"],
        qos_depth=value["qos_depth"],
        diagnostics_period=value["diagnostics_period"],
    )


def _descriptor(each: Declared) -> ParameterDescriptor:
    constraint = "takes effect when the node is configured"
    made = ParameterDescriptor(description=each.meaning, additional_constraints=constraint)
    if isinstance(each.default, float):
        bounds = {"from_value": float(each.least), "to_value": float(each.most)}
        made.floating_point_range = [FloatingPointRange(**bounds, step=0.0)]
    elif isinstance(each.default, int):
        made.integer_range = [IntegerRange(from_value=int(each.least), to_value=int(each.most), step=1)]
    return made


def _checked(parameters: Any) -> SetParametersResult:
    """Refuses what configuring would refuse, as far as one parameter alone tells."""
    checks = {"topics": _topics, "types": _types, "policy": _policy}
    for parameter in parameters:
        try:
            checks.get(parameter.name, lambda value: None)(parameter.value)
        except bindrt.Error as error:
            return SetParametersResult(successful=False, reason=str(error))
    return SetParametersResult(successful=True)


def _topics(texts: Any) -> dict[str, Choice]:
    found = parse_topics([text for text in texts if text])
    for name, choice in found.items():
        if choice.modality in (None, "text"):
            raise bindrt.OptionError(f"topic {name}", "no modality of a sensor", f"for example {name}=imu")
    return found


def _types(texts: Any) -> dict[str, str]:
    found = {}
    for text in (text for text in texts if text):
        name, _, kind = text.partition("=")
        if not name or len(kind.split("/")) != 3:
            raise bindrt.OptionError(f"types {text}", "not TOPIC=TYPE", "as /cam=sensor_msgs/msg/Image")
        found[name] = kind
    return found


def _joint(texts: Any, topics: Mapping[str, Choice]) -> dict[str, float]:
    found = {}
    for text in (text for text in texts if text):
        name, _, weight = text.partition("=")
        if name not in topics:
            raise bindrt.OptionError(f"joint {text}", "no such topic", f"one of {', '.join(topics)}")
        try:
            found[name] = float(weight or 1)
        except ValueError:
            raise bindrt.OptionError(f"joint {text}", "not TOPIC=WEIGHT", f"as {name}=0.5") from None
        if not 0 < found[name] <= _HEAVIEST:
            problem = f"give a number above 0, up to {_HEAVIEST:g}"
            raise bindrt.OptionError(f"joint {text}", "not a weight", problem)
    if found and any(name.strip("/") == JOINT for name in topics):
        raise bindrt.OptionError(f"topic {JOINT}", "joint vectors have this name", "rename the topic")
    if len(found) == 1:
        raise bindrt.OptionError("parameter joint", "it names one topic", "name two or more, or none")
    return found


def _policy(text: str) -> None:
    if text not in _POLICIES:
        raise bindrt.OptionError(f"policy {text}"[:80], "unknown", f"one of {', '.join(_POLICIES)}")
