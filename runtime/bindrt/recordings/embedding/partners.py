"""An accelerometer in one topic, a gyroscope in another: which two belong together."""

from __future__ import annotations

from bindrt.recordings.sample import Inertial, Sample


class ImuPartners:
    """Finds topics of inertial samples that are read together, by the first sample of each."""

    def __init__(self) -> None:
        self._sensors: dict[str, str] = {}  # topic → acc, gyro
        self._partners: dict[str, str] = {}  # topic → the topic under whose name both stand

    def name_of(self, sample: Sample) -> str:
        """The name under which a sample's topic stands: its own, or its partner's."""
        data = sample.data if sample.modality == "imu" else None
        if not isinstance(data, Inertial) or (data.acc is not None and data.gyro is not None):
            return sample.topic
        if sample.topic not in self._sensors:
            self._sensors[sample.topic] = "acc" if data.acc is not None else "gyro"
            self._find_partner(sample.topic)
        return self.lead_of(sample.topic)

    def lead_of(self, topic: str) -> str:
        """The topic under whose name a topic stands."""
        return self._partners.get(topic, topic)

    def alone(self) -> list[tuple[str, str]]:
        """The topics with one sensor and without a partner, and which sensor each has."""
        return [(topic, sensor) for topic, sensor in self._sensors.items() if topic not in self._partners]

    def _find_partner(self, topic: str) -> None:
        """The nearest topic of the other sensor that has no partner yet."""
        others = [
            name
            for name, sensor in self._sensors.items()
            if sensor != self._sensors[topic] and name not in self._partners
        ]
        if others:
            partner = max(others, key=lambda name: _alike(name, topic))
            self._partners[partner] = self._partners[topic] = partner


def _alike(first: str, second: str) -> int:
    """How many of their parts two names of topics share."""
    return len(set(first.split("/")) & set(second.split("/")))
