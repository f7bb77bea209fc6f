"""The node. bindrt reads messages, makes windows, embeds them and finds events; this connects it to ROS."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial, wraps
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from std_msgs.msg import Header

import bindrt
from bindrt.commands.prompt_files import read_prompts
from bindrt.recordings.live import LiveTopics
from bindrt_ros2 import parameters
from bindrt_ros2.diagnostics import TopicStatus
from bindrt_ros2.joint import JOINT, Joint
from bindrt_ros2.outputs import Outputs
from bindrt_ros2.parameters import Settings
from bindrt_ros2.sensors import infos_of, latched_qos, message_class, sensor_qos, usual_type

Transition = Callable[[Any, LifecycleState], TransitionCallbackReturn]


def _logged(transition: Transition) -> Transition:
    """Logs what is unforeseen in a transition: rclpy makes an ERROR of it and says no more."""

    @wraps(transition)
    def logged(node: Any, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return transition(node, state)
        except Exception:
            node.get_logger().error(traceback.format_exc())
            raise

    return logged


class EmbedNode(LifecycleNode):
    """Embeds what sensors publish.

    *configure* loads the model, *activate* opens subscriptions and live streams, *deactivate* closes them,
    *cleanup* and *shutdown* free the model.

    Attributes:
        model: while the node is configured.
        outputs: its publishers, while it is configured.
        topics: the live streams, while it is active.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__("bindrt", **options)
        parameters.declare(self)
        self._settings: Settings | None = None
        self.model: bindrt.Model | None = None
        self.outputs: Outputs | None = None
        self.topics: LiveTopics | None = None
        self._joint: Joint | None = None
        self._subscribed: list[Any] = []
        self._kinds: dict[str, str] = {}
        self._diagnostics: Any = None
        self._timer: Any = None
        self._statuses: dict[str, TopicStatus] = {}

    @_logged
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            self._settings = parameters.read(self)
            self._load(self._settings)
        except bindrt.Error as error:
            self.get_logger().error(str(error))
            self._free()
            return TransitionCallbackReturn.FAILURE
        return super().on_configure(state)

    @_logged
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        assert self._settings is not None
        super().on_activate(state)  # the publishers, before the first result
        try:
            self._open(self._settings)
        except bindrt.Error as error:
            self.get_logger().error(str(error))
            self._close()
            super().on_deactivate(state)
            return TransitionCallbackReturn.FAILURE
        return TransitionCallbackReturn.SUCCESS

    @_logged
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._close()
        return super().on_deactivate(state)

    @_logged
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._free()
        return super().on_cleanup(state)

    @_logged
    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.release()
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """After something unforeseen the node can be configured again."""
        self.release()
        return TransitionCallbackReturn.SUCCESS

    def release(self) -> None:
        """Ends and frees everything, in any state."""
        self._close()
        self._free()

    def _load(self, settings: Settings) -> None:
        """Loads the encoders that the topics need. That of texts is freed once the prompts are embedded."""
        wanted = {choice.modality for choice in settings.topics.values()}
        prompts = read_prompts(settings.prompts) if settings.prompts else None
        self.model = bindrt.load(**settings.load)
        missing = sorted(str(modality) for modality in wanted if modality not in self.model.modalities)
        if missing:
            has = f"it has {', '.join(self.model.modalities)}"
            raise bindrt.OptionError("parameter topics", f"the bundle has no {', '.join(missing)}", has)
        monitor = None
        if prompts is not None:
            monitor = bindrt.Monitor(self.model, prompts.named, against=prompts.against, **prompts.options)
            for modality in set(self.model.modalities) - wanted:
                self.model.unload(modality)
        for modality in wanted:
            self.model.engine(modality)  # now, not with the first message
        published = [*settings.topics, *([JOINT] if settings.joint else [])]
        self.outputs = Outputs(self, published, monitor)
        self._diagnostics = self.create_lifecycle_publisher(DiagnosticArray, "/diagnostics", 10)
        self.get_logger().info(f"loaded {self.model!r}")

    def _open(self, settings: Settings) -> None:
        assert self.model is not None
        assert self.outputs is not None
        publish = self.outputs.publish
        if settings.joint:
            self._joint = Joint(self.outputs, settings.joint, settings.joint_max_age)
            publish = self._joint.publish
        self.topics = LiveTopics(
            self.model,
            publish,
            settings.windows,
            policy=settings.policy,
            queue=settings.queue,
        )
        for name, choice in settings.topics.items():
            kind = settings.types.get(name) or usual_type(name, str(choice.modality))
            self.topics.add(name, kind, choice)
            self._subscribe(name, kind, sensor_qos(settings.qos_depth))
            self._kinds[name] = kind
            self._statuses[name] = TopicStatus(name, settings.max_staleness)
        for name, kind in infos_of(settings.topics).items():
            self.topics.add(name, kind)
            self._subscribe(name, kind, sensor_qos(1))
            self._subscribe(name, kind, latched_qos())
        self._timer = self.create_timer(
            settings.diagnostics_period, self._diagnose, callback_group=ReentrantCallbackGroup()
        )

    def _subscribe(self, name: str, kind: str, qos: Any) -> None:
        """Topics are received side by side; the messages of one stay in order, as its stream needs them."""
        group = MutuallyExclusiveCallbackGroup()
        receive = partial(self._receive, name)
        self._subscribed.append(
            self.create_subscription(message_class(kind), name, receive, qos, callback_group=group)
        )

    def _receive(self, name: str, message: Any) -> None:
        """Hands a message to its stream. This waits neither for the model nor for a window to be prepared."""
        topics, outputs = self.topics, self.outputs
        if topics is None or outputs is None:
            return
        outputs.see(name, message)
        with suppress(bindrt.ClosedError):  # the node is being deactivated
            topics.push(name, message, self.get_clock().now().nanoseconds)

    def _diagnose(self) -> None:
        topics = self.topics
        if topics is None:
            return
        told, published = topics.stats(), dict(self.get_topic_names_and_types())
        found = []
        for name, status in self._statuses.items():
            _, error = topics.report.failed.get(name, (0, ""))
            found.append(status.message(told[name], error, self._hint(name, published)))
        if self._joint is not None:
            found.append(self._joint.status())
        now = self.get_clock().now().to_msg()
        self._diagnostics.publish(DiagnosticArray(header=Header(stamp=now), status=found))

    def _hint(self, name: str, published: dict[str, list[str]]) -> str:
        """Why no message of a topic may come."""
        others = [
            kind for kind in published.get(self.resolve_topic_name(name), []) if kind != self._kinds[name]
        ]
        return f": it has {others[0]}; set the parameter types to {name}={others[0]}" if others else ""

    def _close(self) -> None:
        for subscription in self._subscribed:
            self.destroy_subscription(subscription)
        if self._timer is not None:
            self.destroy_timer(self._timer)
        if self.topics is not None:
            self.topics.close()
            assert self.outputs is not None
            self.outputs.finish()
        self._subscribed, self._timer, self.topics, self._joint = [], None, None, None

    def _free(self) -> None:
        if self.outputs is not None:
            self.outputs.destroy()
        if self._diagnostics is not None:
            self.destroy_lifecycle_publisher(self._diagnostics)
        if self.model is not None:
            self.model.close()
        self.outputs = self._diagnostics = self.model = self._settings = None
        self._statuses = {}


def main(args: list[str] | None = None) -> None:
    """``ros2 run bindrt_ros2 embed``."""
    rclpy.init(args=args)
    node = EmbedNode()
    executor = MultiThreadedExecutor()
    executor.add_node(node)
    try:
        with suppress(KeyboardInterrupt, ExternalShutdownException):
            executor.spin()
    finally:
        node.release()
        node.destroy_node()
        rclpy.try_shutdown()
