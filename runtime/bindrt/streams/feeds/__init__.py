"""Feeds: pieces of a signal in, windows that are ready for the model out; one a modality."""

from bindrt.streams.feeds.audio import AudioFeed
from bindrt.streams.feeds.counts import Counts
from bindrt.streams.feeds.feed import Feed, ReadyWindow

__all__ = ["AudioFeed", "Counts", "Feed", "ReadyWindow"]
