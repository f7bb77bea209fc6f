"""Nodes as rclpy has them: parameters, publishers, subscriptions, the states of a managed node."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

from support.ros.bus import (
    Bus,
    CallbackGroup,
    MutuallyExclusiveCallbackGroup,
    QoSProfile,
    Subscription,
    Timer,
)
from support.ros.messages import from_bytes, message_type, to_bytes


class InvalidParameterTypeException(Exception):  # noqa: N818 - rclpy's name
    pass


class InvalidParameterValueException(Exception):  # noqa: N818 - rclpy's name
    pass


class Parameter:
    """A parameter's name and value."""

    def __init__(self, name: str, type_: Any = None, value: Any = None) -> None:
        self.name, self.value = name, value


class LifecycleState(NamedTuple):
    label: str
    state_id: int


class TransitionCallbackReturn(Enum):
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


class Logger:
    def __init__(self, log: list[tuple[str, str]]) -> None:
        self._log = log

    def info(self, text: str, **_: Any) -> None:
        self._log.append(("info", text))

    def warning(self, text: str, throttle_duration_sec: float = 0.0) -> None:
        self._log.append(("warning", text))

    def error(self, text: str, **_: Any) -> None:
        self._log.append(("error", text))


class Now:
    def __init__(self, nanoseconds: int) -> None:
        self.nanoseconds = nanoseconds

    def to_msg(self) -> Any:
        seconds, rest = divmod(self.nanoseconds, 10**9)
        return message_type("builtin_interfaces/msg/Time")(sec=seconds, nanosec=rest)


class Clock:
    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def now(self) -> Now:
        return Now(self._bus.now)


class Publisher:
    def __init__(self, bus: Bus, cls: Any, topic: str) -> None:
        self._bus, self._cls, self.topic = bus, cls, topic
        bus.types[topic].add(cls.KIND)

    def publish(self, message: Any) -> None:
        assert isinstance(message, self._cls), f"{self.topic} takes {self._cls.KIND}"
        self._bus.sent[self.topic].append(from_bytes(to_bytes(message), message.KIND))


class LifecyclePublisher(Publisher):
    """It publishes only while its node is active."""

    enabled = False

    def publish(self, message: Any) -> None:
        if self.enabled:
            super().publish(message)


class Node:
    """A node; ``bus`` is set by whoever installs the stand-in."""

    bus: Bus

    def __init__(self, name: str, *, namespace: str = "", parameter_overrides: Any = ()) -> None:
        self.name, self.namespace = name, f"/{namespace.strip('/')}".rstrip("/")
        self._overrides = {parameter.name: parameter.value for parameter in parameter_overrides}
        self._values: dict[str, Any] = {}
        self._descriptors: dict[str, Any] = {}
        self._checks: list[Callable[[list[Parameter]], Any]] = []
        self._default_group = MutuallyExclusiveCallbackGroup()

    def declare_parameter(self, name: str, value: Any, descriptor: Any) -> None:
        assert value != [], "an empty list has no type"
        self._descriptors[name], self._values[name] = descriptor, value
        if name in self._overrides:
            self._require(Parameter(name, value=self._overrides[name]))
            self._values[name] = self._overrides[name]

    def describe(self, name: str) -> Any:
        return self._descriptors[name]

    def get_parameter(self, name: str) -> Parameter:
        return Parameter(name, value=self._values[name])

    def add_on_set_parameters_callback(self, callback: Any) -> None:
        self._checks.append(callback)

    def set_parameters(self, parameters: list[Parameter]) -> list[Any]:
        results = []
        for parameter in parameters:
            self._require(parameter)
            result = message_type("rcl_interfaces/msg/SetParametersResult")(successful=True)
            for check in self._checks:
                told = check([parameter])
                result = result if told.successful else told
            if result.successful:
                self._values[parameter.name] = parameter.value
            results.append(result)
        return results

    def _require(self, parameter: Parameter) -> None:
        now, value = self._values[parameter.name], parameter.value
        same = type(value) is type(now) and (
            not isinstance(now, list) or all(isinstance(v, str) for v in value)
        )
        if not same:
            raise InvalidParameterTypeException(f"{parameter.name}: {value!r}")
        descriptor = self._descriptors[parameter.name]
        for bounds in (*descriptor.floating_point_range, *descriptor.integer_range):
            if not bounds.from_value <= value <= bounds.to_value:
                raise InvalidParameterValueException(f"{parameter.name}: {value!r}")

    def resolve_topic_name(self, name: str) -> str:
        if name.startswith("~/"):
            return f"{self.namespace}/{self.name}/{name[2:]}"
        return name if name.startswith("/") else f"{self.namespace}/{name}"

    def create_subscription(
        self,
        cls: Any,
        topic: str,
        callback: Any,
        qos: QoSProfile,
        *,
        callback_group: CallbackGroup | None = None,
    ) -> Subscription:
        group = callback_group or self._default_group
        made = Subscription(cls, self.resolve_topic_name(topic), callback, qos, group)
        self.bus.subscribe(made)
        return made

    def destroy_subscription(self, subscription: Subscription) -> None:
        self.bus.subscriptions.remove(subscription)

    def create_timer(
        self, period: float, callback: Any, callback_group: CallbackGroup | None = None
    ) -> Timer:
        made = Timer(period, callback, callback_group or self._default_group)
        self.bus.timers.append(made)
        return made

    def destroy_timer(self, timer: Timer) -> None:
        self.bus.timers.remove(timer)

    def get_logger(self) -> Logger:
        return Logger(self.bus.log)

    def get_clock(self) -> Clock:
        return Clock(self.bus)

    def get_topic_names_and_types(self) -> list[tuple[str, list[str]]]:
        return [(topic, sorted(types)) for topic, types in self.bus.types.items()]

    def destroy_node(self) -> None:
        pass


class LifecycleNode(Node):
    """A managed node; its states are those of ROS 2."""

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **options)
        self.state = "unconfigured"
        self.publishers: list[LifecyclePublisher] = []

    def create_lifecycle_publisher(self, cls: Any, topic: str, qos: Any) -> LifecyclePublisher:
        made = LifecyclePublisher(self.bus, cls, self.resolve_topic_name(topic))
        self.publishers.append(made)
        return made

    def destroy_lifecycle_publisher(self, publisher: LifecyclePublisher) -> None:
        self.publishers.remove(publisher)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        return TransitionCallbackReturn.SUCCESS

    on_cleanup = on_shutdown = on_error = on_configure

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._enable(True)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._enable(False)

    def trigger_configure(self) -> TransitionCallbackReturn:
        return self._change("unconfigured", self.on_configure, "inactive")

    def trigger_activate(self) -> TransitionCallbackReturn:
        return self._change("inactive", self.on_activate, "active")

    def trigger_deactivate(self) -> TransitionCallbackReturn:
        return self._change("active", self.on_deactivate, "inactive")

    def trigger_cleanup(self) -> TransitionCallbackReturn:
        return self._change("inactive", self.on_cleanup, "unconfigured")

    def trigger_shutdown(self) -> TransitionCallbackReturn:
        return self._change(self.state, self.on_shutdown, "finalized")

    def _change(self, start: str, callback: Any, goal: str) -> TransitionCallbackReturn:
        assert self.state == start, f"it is {self.state}, not {start}"
        before = LifecycleState(start, 0)
        try:
            found: TransitionCallbackReturn = callback(before)
        except Exception:
            found = TransitionCallbackReturn.ERROR
        if found is TransitionCallbackReturn.SUCCESS:
            self.state = goal
        elif found is TransitionCallbackReturn.ERROR:
            handled = self.on_error(before)
            self.state = "unconfigured" if handled is TransitionCallbackReturn.SUCCESS else "finalized"
        return found

    def _enable(self, enabled: bool) -> TransitionCallbackReturn:
        for publisher in self.publishers:
            publisher.enabled = enabled
        return TransitionCallbackReturn.SUCCESS
