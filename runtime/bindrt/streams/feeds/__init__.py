"""Feeds: pieces of a signal in, windows that are ready for the model out; one a modality."""

from bindrt.streams.feeds.audio import AudioFeed
from bindrt.streams.feeds.counts import Counts
from bindrt.streams.feeds.feed import Feed, ReadyWindow
from bindrt.streams.feeds.imu import ImuFeed
from bindrt.streams.feeds.opening import open_feed
from bindrt.streams.feeds.pictures import PictureFeed
from bindrt.streams.feeds.video import VideoFeed

__all__ = ["AudioFeed", "Counts", "Feed", "ImuFeed", "PictureFeed", "ReadyWindow", "VideoFeed", "open_feed"]
