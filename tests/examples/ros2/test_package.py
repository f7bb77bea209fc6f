"""The ROS 2 package is laid out as ament_python wants it, and its files agree with each other."""

from __future__ import annotations

import runpy
import sys
import xml.etree.ElementTree as ET
from importlib import import_module
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import pytest
import setuptools
import yaml

from support.pages import ROOT
from support.ros.bus import Bus
from support.ros.installing import install
from support.ros.nodes import (
    InvalidParameterTypeException,
    InvalidParameterValueException,
    Parameter,
    TransitionCallbackReturn,
)

PACKAGE = ROOT / "examples" / "ros2"


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Bus:
    return install(monkeypatch)


def config() -> dict[str, Any]:
    text = (PACKAGE / "config" / "bindrt.yaml").read_text("utf-8")
    values: dict[str, Any] = yaml.safe_load(text)["/**"]["ros__parameters"]
    return values


def node_of(values: dict[str, Any]) -> Any:
    overrides = [Parameter(name, value=value) for name, value in values.items()]
    return import_module("bindrt_ros2.node").EmbedNode(parameter_overrides=overrides)


def test_the_shipped_parameters_run(bus: Bus) -> None:
    values = config()
    node = node_of(values)
    assert set(values) == {each.name for each in import_module("bindrt_ros2.parameters").PARAMETERS}
    assert node.trigger_configure() is TransitionCallbackReturn.SUCCESS
    assert node.trigger_activate() is TransitionCallbackReturn.SUCCESS
    assert {s.topic: s.msg_type.KIND for s in bus.subscriptions} == {
        "/imu/data": "sensor_msgs/msg/Imu",
        "/audio/audio_stamped": "audio_common_msgs/msg/AudioDataStamped",
        "/audio/audio_info": "audio_common_msgs/msg/AudioInfo",
        "/camera/image_raw/compressed": "sensor_msgs/msg/CompressedImage",
        "/camera/depth/image_rect_raw": "sensor_msgs/msg/Image",
        "/camera/depth/camera_info": "sensor_msgs/msg/CameraInfo",
    }
    assert node.trigger_shutdown() is TransitionCallbackReturn.SUCCESS


def test_parameters_are_described_and_bounded(bus: Bus) -> None:
    node = node_of({"topics": ["/imu/data=imu"]})
    for each in import_module("bindrt_ros2.parameters").PARAMETERS:
        told = node.describe(each.name)
        assert told.description
        bounded = bool(told.floating_point_range or told.integer_range)
        assert bounded == isinstance(each.default, (int, float))
    for values in ({"hop": 0.0}, {"queue": 0}, {"max_staleness": -1.0}):
        with pytest.raises(InvalidParameterValueException):
            node_of(values)
    with pytest.raises(InvalidParameterTypeException):
        node_of({"topics": "/imu/data=imu"})


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("policy", "newest", "unknown; one of latest, even, all"),
        ("topics", ["/imu/data=smell"], "'smell' is no modality"),
        ("types", ["/imu/data=Imu"], "not TOPIC=TYPE"),
        ("hop", 2.0, ""),
        ("topics", ["/thermal=thermal,low=20,high=40"], ""),
    ],
)
def test_parameters_are_checked_when_they_are_set(bus: Bus, name: str, value: Any, reason: str) -> None:
    node = node_of({"topics": ["/imu/data=imu"]})
    (result,) = node.set_parameters([Parameter(name, value=value)])
    assert result.successful == (not reason)
    assert reason in result.reason
    assert (node.get_parameter(name).value == value) == (not reason)


def test_setup_names_files_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, Any] = {}
    monkeypatch.setattr(setuptools, "setup", lambda **values: told.update(values))
    runpy.run_path(str(PACKAGE / "setup.py"))
    for _, files in told["data_files"]:
        assert [name for name in files if not (PACKAGE / name).is_file()] == []
    manifest = ET.parse(PACKAGE / "package.xml").getroot()
    assert (manifest.findtext("name"), manifest.findtext("version")) == (told["name"], told["version"])
    assert manifest.findtext("export/build_type") == "ament_python"
    assert told["name"] in (PACKAGE / "setup.cfg").read_text("utf-8")


def test_what_is_imported_is_a_dependency() -> None:
    manifest = ET.parse(PACKAGE / "package.xml").getroot()
    needed = {each.text for each in manifest.findall("exec_depend")}
    text = "".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    for name in (
        "diagnostic_msgs",
        "launch_ros",
        "lifecycle_msgs",
        "rcl_interfaces",
        "sensor_msgs",
        "vision_msgs",
    ):
        assert f"from {name}" in text
        assert name in needed
    assert {"builtin_interfaces", "std_msgs", "ament_index_python", "launch"} <= needed


def test_the_launch_file_describes_a_node_that_becomes_active(monkeypatch: pytest.MonkeyPatch) -> None:
    """Launch itself is not here: its names are stand-ins that remember how they were called."""
    names = {
        "ament_index_python.packages": ["get_package_share_directory"],
        "launch": ["LaunchDescription"],
        "launch.actions": ["DeclareLaunchArgument", "EmitEvent", "RegisterEventHandler"],
        "launch.event_handlers": ["OnProcessStart"],
        "launch.events": ["matches_action"],
        "launch.substitutions": ["LaunchConfiguration"],
        "launch_ros.actions": ["LifecycleNode"],
        "launch_ros.event_handlers": ["OnStateTransition"],
        "launch_ros.events.lifecycle": ["ChangeState"],
        "lifecycle_msgs.msg": ["Transition"],
    }
    for package in ("ament_index_python", "launch_ros", "launch_ros.events", "lifecycle_msgs"):
        monkeypatch.setitem(sys.modules, package, ModuleType(package))
    made: dict[str, MagicMock] = {}
    for module, contents in names.items():
        found = ModuleType(module)
        for name in contents:
            made[name] = MagicMock(name=name)
            setattr(found, name, made[name])
        monkeypatch.setitem(sys.modules, module, found)
    made["get_package_share_directory"].return_value = str(PACKAGE)
    run = runpy.run_path(str(PACKAGE / "launch" / "bindrt.launch.py"))
    run["generate_launch_description"]()
    node = made["LifecycleNode"].call_args.kwargs
    assert (node["package"], node["executable"], node["name"]) == ("bindrt_ros2", "embed", "bindrt")
    transitions = [call.kwargs["transition_id"] for call in made["ChangeState"].call_args_list]
    kinds = made["Transition"]
    assert transitions == [kinds.TRANSITION_CONFIGURE, kinds.TRANSITION_ACTIVATE]
    declared = made["DeclareLaunchArgument"].call_args_list
    defaults = {call.args[0]: call.kwargs["default_value"] for call in declared}
    assert defaults["config"] == str(PACKAGE / "config" / "bindrt.yaml")
    assert made["OnStateTransition"].call_args.kwargs["start_state"] == "configuring"
