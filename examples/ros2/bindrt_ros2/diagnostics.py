"""What ``/diagnostics`` says of each topic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

#: What the counts of a stream say when they grow, and how bad it is.
_GROWS = {
    "failed": (DiagnosticStatus.ERROR, "windows failed"),
    "jumps_back": (DiagnosticStatus.WARN, "the clock went back"),
    "restarts": (DiagnosticStatus.WARN, "the clock began anew"),
    "dropped": (DiagnosticStatus.WARN, "windows were dropped: the model is slower than the sensor"),
    "refused": (DiagnosticStatus.WARN, "samples were refused: too many windows wait"),
    "windows_lost": (DiagnosticStatus.WARN, "windows were lost in gaps"),
    "late": (DiagnosticStatus.WARN, "samples came too late"),
    "not_finite": (DiagnosticStatus.WARN, "samples were not finite"),
}


class TopicStatus:
    """Tells how a topic does, by what changed since it was last asked."""

    def __init__(self, topic: str, max_staleness: float) -> None:
        self._topic, self._max_staleness = topic, max_staleness
        self._before: dict[str, float] = {}

    def message(self, told: Mapping[str, Any], error: str, hint: str) -> DiagnosticStatus:
        """
        Args:
            told: what ``LiveTopics.stats()`` says of the topic.
            error: the first error of its messages.
            hint: why no message may come.
        """
        level, text = self._level(told, error, hint)
        self._before = {name: value for name, value in told.items() if isinstance(value, (int, float))}
        staleness = {f"staleness_{name}": value for name, value in told.get("staleness", {}).items()}
        plain = {name: value for name, value in told.items() if not isinstance(value, dict)}
        values = [KeyValue(key=name, value=_text(value)) for name, value in {**plain, **staleness}.items()]
        return DiagnosticStatus(
            level=level, name=f"bindrt: {self._topic}", message=text, hardware_id=self._topic, values=values
        )

    def _level(self, told: Mapping[str, Any], error: str, hint: str) -> tuple[bytes, str]:
        if self._growth(told, "unreadable") > 0:
            return DiagnosticStatus.ERROR, f"messages could not be read: {error}"
        if self._growth(told, "messages") <= 0:
            return DiagnosticStatus.STALE, f"no message came{hint}"
        if "pushed" not in told:
            return DiagnosticStatus.WARN, "messages wait for a CameraInfo or AudioInfo"
        for name, (level, text) in _GROWS.items():
            if self._growth(told, name) > 0:
                return level, text
        last = told["staleness"].get("last", 0.0)
        if last > self._max_staleness:
            return DiagnosticStatus.WARN, f"a vector came {last:.2f} s after its window"
        return DiagnosticStatus.OK, "vectors come"

    def _growth(self, told: Mapping[str, Any], name: str) -> float:
        return float(told.get(name, 0)) - self._before.get(name, 0.0)


def _text(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
