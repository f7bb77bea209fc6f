"""What the node publishes: vectors, scores and events, as messages that every installation of ROS has."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header
from vision_msgs.msg import Classification, ObjectHypothesis

import bindrt


def stamp(seconds: float) -> Time:
    """The sensor's time as a message."""
    nanoseconds = round(seconds * 1e9)
    return Time(sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)


def record_type(length: int, parts: int = 0) -> np.dtype[Any]:
    """The fields of a vector's message, in order; a joint vector has the age of each part."""
    fields = [("vector", "<f4", (length,)), ("start", "<f8", ()), ("end", "<f8", ()), ("dropped", "<u4", ())]
    return np.dtype(fields + ([("ages", "<f8", (parts,))] if parts else []))


def vector_message(header: Header, window: Any) -> PointCloud2:
    """A window's vector: one record, whose fields the message itself describes."""
    ages = tuple(getattr(window, "ages", {}).values())
    record = np.zeros(1, record_type(len(window.vector), len(ages)))
    record[0] = (window.vector, window.start, window.end, window.dropped, *([ages] if ages else []))
    sizes = {"<f4": PointField.FLOAT32, "<f8": PointField.FLOAT64, "<u4": PointField.UINT32}
    fields = []
    for name, (kind, offset, *_) in (record.dtype.fields or {}).items():
        count = int(np.prod(kind.shape)) if kind.shape else 1
        fields.append(PointField(name=name, offset=offset, datatype=sizes[kind.base.str], count=count))
    data = record.tobytes()
    return PointCloud2(
        header=header,
        height=1,
        width=1,
        fields=fields,
        is_bigendian=False,
        point_step=len(data),
        row_step=len(data),
        data=array("B", data),
        is_dense=True,
    )


def scores_message(header: Header, scores: Mapping[str, float]) -> Classification:
    """The score of each name of the prompts, in their order."""
    results = [ObjectHypothesis(class_id=name, score=float(score)) for name, score in scores.items()]
    return Classification(header=header, results=results)


def events_message(header: Header, topic: str, events: Iterable[tuple[str, bindrt.Event]]) -> DiagnosticArray:
    """Events, each with whether it ``began`` or ``ended``."""
    found = []
    for what, event in events:
        numbers = {"start": event.start, "end": event.end, "peak": event.peak, "score": event.score}
        values = [KeyValue(key=key, value=f"{number:.6f}") for key, number in numbers.items()]
        found.append(DiagnosticStatus(name=event.name, message=what, hardware_id=topic, values=values))
    return DiagnosticArray(header=header, status=found)


class Outputs:
    """Publishes the windows of all topics.

    Args:
        node: makes the publishers.
        topics: their names.
        monitor: scores vectors and finds events; None: there are no prompts.
    """

    def __init__(self, node: Any, topics: Iterable[str], monitor: bindrt.Monitor | None) -> None:
        self._node = node
        self._frames: dict[str, str] = {}
        self._last: dict[str, float] = {}
        self._vectors, self._scores, self._monitors = {}, {}, {}
        for topic in topics:
            below = f"~/{topic.strip('/')}"
            self._vectors[topic] = node.create_lifecycle_publisher(PointCloud2, f"{below}/vector", 10)
            if monitor is not None:
                self._scores[topic] = node.create_lifecycle_publisher(Classification, f"{below}/scores", 10)
                self._monitors[topic] = monitor.copy()
        self._events = node.create_lifecycle_publisher(DiagnosticArray, "~/events", 10)

    def see(self, topic: str, message: Any) -> None:
        """Keeps the frame of a topic's sensor, which its results carry too."""
        header = getattr(message, "header", None)
        if header is not None:
            self._frames[topic] = header.frame_id

    def publish(self, topic: str, modality: str, window: Any) -> None:
        """Publishes a window; streams call it on a thread of theirs, for each topic one call at a time."""
        if window.error is not None:
            self._node.get_logger().warning(f"{topic}: {window.error}", throttle_duration_sec=10.0)
            return
        self.publish_window(topic, window)

    def publish_window(self, topic: str, window: Any) -> None:
        """Publishes its vector, its scores and the events that begin or end with it."""
        header = self._header(topic, window.end)
        self._vectors[topic].publish(vector_message(header, window))
        monitor = self._monitors.get(topic)
        if monitor is None:
            return
        self._scores[topic].publish(scores_message(header, monitor.scores(window.vector)))
        before = {event.name for event in monitor.active}
        ended = monitor.push(window)
        begun = [event for event in monitor.active if event.name not in before - {e.name for e in ended}]
        self._last[topic] = window.end
        self._tell(topic, window.end, [("ended", event) for event in ended] + [("began", e) for e in begun])

    def finish(self) -> None:
        """The events that went on end: no window comes any more."""
        for topic, monitor in self._monitors.items():
            ended = [("ended", event) for event in monitor.finish()]
            self._tell(topic, self._last.get(topic, 0.0), ended)

    def destroy(self) -> None:
        for publisher in (*self._vectors.values(), *self._scores.values(), self._events):
            self._node.destroy_lifecycle_publisher(publisher)

    def _tell(self, topic: str, time: float, events: list[tuple[str, bindrt.Event]]) -> None:
        if events:
            self._events.publish(events_message(self._header(topic, time), topic, events))

    def _header(self, topic: str, time: float) -> Header:
        return Header(stamp=stamp(time), frame_id=self._frames.get(topic, ""))
