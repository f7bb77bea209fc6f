"""Files and folders of messages: MCAP, ROS 1 bags, ROS 2 bags."""

from bindrt.recordings.containers.container import Container
from bindrt.recordings.containers.opening import is_recording, open_container

__all__ = ["Container", "is_recording", "open_container"]
