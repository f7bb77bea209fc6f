"""One vector of several topics, whose stamps are of one clock."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from bindrt.streams.fusion import Fusion
from bindrt_ros2.outputs import Outputs

#: Stands for a topic's name in what is published of the joint vectors.
JOINT = "joint"


class Joint:
    """Publishes joint vectors, with their scores and events, as if they were a topic's.

    Args:
        weights: of the topics whose vectors are added up.
        max_age: seconds by which a part may be older than the newest one.
    """

    def __init__(self, outputs: Outputs, weights: Mapping[str, float], max_age: float) -> None:
        self._outputs, self._parts = outputs, frozenset(weights)
        self._fusion = Fusion(weights, weights, max_age)
        self._lock = threading.Lock()  # what is published comes in order
        self._before = self._fusion.stats()

    def publish(self, topic: str, modality: str, window: Any) -> None:
        """Publishes a topic's window, and the joint one that it completes."""
        self._outputs.publish(topic, modality, window)
        if topic not in self._parts:
            return
        with self._lock:
            joint = self._fusion.add(topic, window)
            if joint is not None:
                self._outputs.publish_window(JOINT, joint)

    def status(self) -> DiagnosticStatus:
        """How the joint vectors do, by what changed since it was last asked."""
        told, before = self._fusion.stats(), self._before
        self._before = told
        if told["joined"] > before["joined"]:
            level, text = DiagnosticStatus.OK, "vectors come"
        elif told["incomplete"] > before["incomplete"]:
            level, text = DiagnosticStatus.WARN, "a part is missing or too old"
        else:
            level, text = DiagnosticStatus.STALE, "no window came"
        values = [KeyValue(key=key, value=str(value)) for key, value in told.items()]
        return DiagnosticStatus(
            level=level, name=f"bindrt: {JOINT}", message=text, hardware_id=JOINT, values=values
        )
