"""Starts the node, configures it, and activates it: ``ros2 launch bindrt_ros2 bindrt.launch.py``."""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, EmitEvent, RegisterEventHandler
from launch.event_handlers import OnProcessStart
from launch.events import matches_action
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState
from lifecycle_msgs.msg import Transition


def generate_launch_description() -> LaunchDescription:
    usual = Path(get_package_share_directory("bindrt_ros2")) / "config" / "bindrt.yaml"
    node = LifecycleNode(
        package="bindrt_ros2",
        executable="embed",
        name="bindrt",
        namespace=LaunchConfiguration("namespace"),
        parameters=[LaunchConfiguration("config")],
        output="screen",
    )

    def change(transition: int) -> EmitEvent:
        return EmitEvent(
            event=ChangeState(lifecycle_node_matcher=matches_action(node), transition_id=transition)
        )

    return LaunchDescription(
        [
            DeclareLaunchArgument("config", default_value=str(usual), description="a file of parameters"),
            DeclareLaunchArgument("namespace", default_value="", description="of the node and its topics"),
            node,
            RegisterEventHandler(
                OnProcessStart(target_action=node, on_start=[change(Transition.TRANSITION_CONFIGURE)])
            ),
            RegisterEventHandler(
                OnStateTransition(
                    target_lifecycle_node=node,
                    start_state="configuring",  # not after a deactivation
                    goal_state="inactive",
                    entities=[change(Transition.TRANSITION_ACTIVATE)],
                )
            ),
        ]
    )
