"""A live stream of any modality, from the arguments of ``Model.live``."""

from __future__ import annotations

from typing import Any

from bindrt.arrays import Array
from bindrt.streams.feeds import AudioFeed, ImuFeed, PictureFeed, open_feed
from bindrt.streams.live import Backend, LiveOptions, LiveStream
from bindrt.streams.pieces import BlockPieces, FramePieces, Keep, Pieces
from bindrt.streams.sample_pieces import SamplePieces

_WINDOWS = {"audio": 2.0, "video": 2.0, "imu": 5.0}  # seconds, where none are given
_HOP = 1.0


class ImuStream(LiveStream):
    """A live stream of inertial samples; see :class:`LiveStream`."""

    def push(
        self, samples: Array | None = None, times: Any = None, *, acc: Any = None, gyro: Any = None
    ) -> None:
        """Hand over samples; this never waits.

        Args:
            samples: ``[6, n]``: accelerometer x, y, z, then gyroscope x, y, z; or, of one sensor alone,
            acc, gyro: ``[3, n]``. The two are joined by their times.
            times: seconds of each sample, ``[n]``; None: by the stream's rate.

        Raises:
            InputError, Overloaded, ClosedError: see :meth:`LiveStream.push`.
        """
        if acc is None and gyro is None:
            super().push(samples, times)
            return
        given = {name: data for name, data in (("acc", acc), ("gyro", gyro)) if data is not None}
        if samples is None and len(given) == 2:
            super().push({"acc": acc}, times)
            super().push({"gyro": gyro}, times)
        else:
            super().push(given if samples is None else samples, times)


def open_live(
    modality: str, backend: Backend, options: LiveOptions, feed_options: dict[str, Any]
) -> LiveStream:
    """The stream of a modality.

    Raises:
        OptionError: an option is out of range, or not one of the modality's.
    """
    feed = open_feed(modality, **feed_options)
    rate, fps = feed_options.get("rate"), feed_options.get("fps")
    window = feed_options.get("window") or _WINDOWS.get(modality, 0.0)
    hop = feed_options.get("hop") or _HOP
    keep: Keep = "all" if options.policy == "all" else "recent"
    pieces: Pieces
    if isinstance(feed, AudioFeed):
        assert rate is not None
        pieces = BlockPieces(feed, rate, window, hop, keep)
    elif isinstance(feed, ImuFeed):
        pieces = SamplePieces(feed, rate, window, hop, keep)
        return ImuStream(feed, pieces, backend, options)
    else:
        if isinstance(feed, PictureFeed) and options.policy == "latest":
            keep = "newest"
        pieces = FramePieces(feed, fps, window, hop, keep)  # type: ignore[arg-type]
    return LiveStream(feed, pieces, backend, options)
