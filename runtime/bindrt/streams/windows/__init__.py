"""Long files window by window: what ``Model.windows`` runs on. docs/windows.md."""

from bindrt.streams.windows.ahead import Ahead
from bindrt.streams.windows.cuts import Cut
from bindrt.streams.windows.joining import CUTS, windows
from bindrt.streams.windows.schedule import Schedule
from bindrt.streams.windows.window import Window

__all__ = ["CUTS", "Ahead", "Cut", "Schedule", "Window", "windows"]
