"""A feed of any modality, from the options of a stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bindrt.errors import OptionError
from bindrt.streams.feeds.audio import AudioFeed
from bindrt.streams.feeds.feed import Feed
from bindrt.streams.feeds.imu import ImuFeed
from bindrt.streams.feeds.item_options import require_options
from bindrt.streams.feeds.pictures import PictureFeed
from bindrt.streams.feeds.video import VideoFeed

_FEEDS: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "audio": (AudioFeed, ("rate", "channels", "window", "hop", "reorder", "max_gap")),
    "imu": (ImuFeed, ("rate", "window", "hop", "reorder", "max_gap")),
    "video": (VideoFeed, ("fps", "layout", "window", "hop", "reorder", "max_gap")),
    "image": (PictureFeed, ("fps", "layout", "hop", "reorder")),
    "depth": (PictureFeed, ("fps", "hop", "reorder")),
    "thermal": (PictureFeed, ("fps", "hop", "reorder")),
}
#: Everything that a stream of some modality may be given.
STREAM_OPTIONS = tuple(dict.fromkeys(name for _, names in _FEEDS.values() for name in names))


def open_feed(modality: str, **options: Any) -> Feed:
    """The feed of a modality.

    Args:
        modality: ``audio``, ``imu``, ``video``, ``image``, ``depth`` or ``thermal``.
        options: those of the modality's feed; those that are None are left out. For ``imu``, ``image``,
            ``depth`` and ``thermal`` also those of its items: units, the camera, the range.

    Raises:
        OptionError: no stream of the modality, or an option that it does not have.

    >>> type(open_feed("audio", rate=16000, hop=0.5)).__name__
    'AudioFeed'
    """
    if modality not in _FEEDS:
        raise OptionError(f"{modality!r}", "no sensor gives it", f"one of {', '.join(_FEEDS)}")
    make, known = _FEEDS[modality]
    given = {name: value for name, value in options.items() if value is not None}
    _require_known(modality, given, known)
    if modality == "audio" and "rate" not in given:
        raise OptionError(
            "rate=None", "sound needs its rate", "pass rate=…, the number of samples per second"
        )
    if make is PictureFeed:
        given["modality"] = modality
    feed: Feed = make(**given)
    return feed


def _require_known(modality: str, given: Mapping[str, object], known: tuple[str, ...]) -> None:
    for name in given:
        if name in known:
            continue
        if name in STREAM_OPTIONS:
            raise OptionError(
                f"{name}=", f"a stream of {modality} has no such option", f"it has {', '.join(known)}"
            )
        require_options(modality, {name: given[name]})
