"""Recordings of robots as sources: MCAP and ROS bags, without an installation of ROS. docs/recordings.md."""

from bindrt.recordings.containers import is_recording
from bindrt.recordings.messages import Choice
from bindrt.recordings.recording import Recording
from bindrt.recordings.report import Report
from bindrt.recordings.sample import Inertial, Sample

__all__ = ["Choice", "Inertial", "Recording", "Report", "Sample", "is_recording"]
