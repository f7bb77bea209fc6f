"""Puts the stand-in where Python looks for rclpy and the messages."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from support.pages import ROOT
from support.ros import bus as buses
from support.ros import messages, nodes
from support.ros.bus import Bus

PACKAGE = "bindrt_ros2"


class MultiThreadedExecutor:
    """Spins until somebody interrupts it, which here is at once."""

    nodes: list[Any] = []  # noqa: RUF012 - a test reads it

    def add_node(self, node: Any) -> None:
        self.nodes.append(node)

    def spin(self) -> None:
        raise KeyboardInterrupt


class ExternalShutdownException(Exception):  # noqa: N818 - rclpy's name
    pass


def install(monkeypatch: pytest.MonkeyPatch) -> Bus:
    """Makes ``import rclpy``, the packages of messages and ``bindrt_ros2`` work until the test ends."""
    bus = Bus()
    monkeypatch.setattr(nodes.Node, "bus", bus, raising=False)
    monkeypatch.setattr(MultiThreadedExecutor, "nodes", [])
    found: dict[str, dict[str, Any]] = {
        "rclpy": {"init": lambda args=None: None, "try_shutdown": lambda: None},
        "rclpy.qos": _named(
            buses.QoSProfile, buses.ReliabilityPolicy, buses.DurabilityPolicy, buses.HistoryPolicy
        ),
        "rclpy.callback_groups": _named(buses.ReentrantCallbackGroup, buses.MutuallyExclusiveCallbackGroup),
        "rclpy.executors": _named(MultiThreadedExecutor, ExternalShutdownException),
        "rclpy.lifecycle": _named(nodes.LifecycleNode, nodes.LifecycleState, nodes.TransitionCallbackReturn),
    }
    for package in messages.PACKAGES:
        found[package] = {}
        found[f"{package}.msg"] = {
            kind.rpartition("/")[2]: messages.message_type(kind) for kind in messages.kinds(package)
        }
    for name, contents in found.items():
        module = ModuleType(name)
        vars(module).update(contents)
        monkeypatch.setitem(sys.modules, name, module)
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(ROOT / "examples" / "ros2"))
    return bus


def _named(*things: Any) -> dict[str, Any]:
    return {thing.__name__: thing for thing in things}
