"""The topics of a running robot: what :mod:`bindrt.recordings` reads of a file, message by message."""

from bindrt.recordings.live.topics import LiveTopics

__all__ = ["LiveTopics"]
