"""The windows of a recording as vectors, and a recording of those vectors."""

from bindrt.recordings.embedding.topic_feeds import WindowOptions
from bindrt.recordings.embedding.topic_windows import TopicWindow
from bindrt.recordings.embedding.windows import embed_recording

__all__ = ["TopicWindow", "WindowOptions", "embed_recording"]
