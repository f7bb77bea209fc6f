"""Events in a stream of windows: named prompts, compared with each window's vector."""

from bindrt.monitoring.event import Event, Window
from bindrt.monitoring.monitor import Monitor

__all__ = ["Event", "Monitor", "Window"]
