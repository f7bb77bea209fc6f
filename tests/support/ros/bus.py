"""What connects the nodes of a test: topics, publishers, subscriptions, timers, and the time."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from enum import Enum
from typing import Any

from support.ros.messages import Message, from_bytes, to_bytes


class ReliabilityPolicy(Enum):
    RELIABLE = 1
    BEST_EFFORT = 2


class DurabilityPolicy(Enum):
    TRANSIENT_LOCAL = 1
    VOLATILE = 2


class HistoryPolicy(Enum):
    KEEP_LAST = 1
    KEEP_ALL = 2


class QoSProfile:
    """A quality of service; keeping the last needs a depth."""

    def __init__(
        self,
        *,
        history: HistoryPolicy = HistoryPolicy.KEEP_LAST,
        depth: int = 0,
        reliability: ReliabilityPolicy = ReliabilityPolicy.RELIABLE,
        durability: DurabilityPolicy = DurabilityPolicy.VOLATILE,
    ) -> None:
        assert history is HistoryPolicy.KEEP_ALL or depth > 0, "keeping the last needs a depth"
        self.history, self.depth, self.reliability, self.durability = history, depth, reliability, durability


def fits(offered: QoSProfile, wanted: QoSProfile) -> bool:
    """Whether messages of such a publisher reach such a subscription."""
    reliable = (
        wanted.reliability is ReliabilityPolicy.BEST_EFFORT
        or offered.reliability is ReliabilityPolicy.RELIABLE
    )
    durable = (
        wanted.durability is DurabilityPolicy.VOLATILE
        or offered.durability is DurabilityPolicy.TRANSIENT_LOCAL
    )
    return reliable and durable


class CallbackGroup:
    """Callbacks that may run at the same time."""

    def run(self, callback: Callable[..., object], *args: Any) -> None:
        callback(*args)


class ReentrantCallbackGroup(CallbackGroup):
    pass


class MutuallyExclusiveCallbackGroup(CallbackGroup):
    """Callbacks of which one runs at a time."""

    def __init__(self) -> None:
        self._one = threading.Lock()

    def run(self, callback: Callable[..., object], *args: Any) -> None:
        with self._one:
            callback(*args)


class Subscription:
    def __init__(self, cls: Any, topic: str, callback: Any, qos: QoSProfile, group: CallbackGroup) -> None:
        self.msg_type, self.topic, self.callback, self.qos, self.group = cls, topic, callback, qos, group


class Timer:
    def __init__(self, period: float, callback: Any, group: CallbackGroup) -> None:
        self.period, self.callback, self.group = period, callback, group


class Bus:
    """All of ROS that a test has.

    Attributes:
        now: nanoseconds.
        sent: what nodes published, by topic.
        log: what nodes logged: level, text.
    """

    def __init__(self) -> None:
        self.now = 0
        self.sent: dict[str, list[Any]] = defaultdict(list)
        self.log: list[tuple[str, str]] = []
        self.subscriptions: list[Subscription] = []
        self.timers: list[Timer] = []
        self.types: dict[str, set[str]] = defaultdict(set)
        self._kept: dict[str, list[tuple[QoSProfile, bytes, str]]] = defaultdict(list)

    def send(self, topic: str, message: Message, qos: QoSProfile | None = None) -> int:
        """Publishes as a sensor's driver does; how many subscriptions took it, in the caller's thread."""
        qos = qos or QoSProfile(depth=10)
        data = to_bytes(message)
        self.types[topic].add(message.KIND)
        if qos.durability is DurabilityPolicy.TRANSIENT_LOCAL:
            self._kept[topic].append((qos, data, message.KIND))
        taking = [s for s in list(self.subscriptions) if s.topic == topic and fits(qos, s.qos)]
        taking = [s for s in taking if s.msg_type.KIND == message.KIND]
        for subscription in taking:
            subscription.group.run(subscription.callback, from_bytes(data, message.KIND))
        return len(taking)

    def subscribe(self, subscription: Subscription) -> None:
        """A subscription for what was kept gets what was sent before."""
        self.subscriptions.append(subscription)
        if subscription.qos.durability is DurabilityPolicy.TRANSIENT_LOCAL:
            for _, data, kind in self._kept[subscription.topic][-subscription.qos.depth :]:
                subscription.callback(from_bytes(data, kind))

    def fire_timers(self) -> None:
        for timer in list(self.timers):
            timer.group.run(timer.callback)
