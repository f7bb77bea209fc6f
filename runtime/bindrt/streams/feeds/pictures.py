"""Images, depth maps and thermal frames: each frame is a window of no length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bindrt import arrays
from bindrt.arrays import Array
from bindrt.errors import InputError, OptionError
from bindrt.items import Prepared
from bindrt.limits import DEFAULT_LIMITS
from bindrt.modalities import MODALITIES
from bindrt.numeric import is_number, is_positive
from bindrt.streams.feeds.counts import Counts
from bindrt.streams.feeds.feed import ReadyWindow
from bindrt.streams.feeds.item_options import require_options
from bindrt.streams.feeds.layouts import checked_frame, require_layout, rgb_of
from bindrt.streams.feeds.stamp_clock import Anew, StampClock, Stamped

_PLAIN = ("RGB", "BGR", "RGBA", "L")  # layouts that bindrt.Image takes


class PictureFeed:
    """Frames of a camera, a depth camera or a thermal camera.

    Args:
        modality: ``image``, ``depth`` or ``thermal``.
        hop: seconds from one frame that is taken to the next; None: every frame.
        fps: frames per second, for frames that come without times.
        layout: of an image's frames, see :func:`bindrt.streams.feeds.layouts.checked_frame`.
        reorder: seconds within which frames may come out of order; each has its own vector all the same.
        options: those of :class:`bindrt.Depth` or :class:`bindrt.Thermal`: the unit, the camera, the range.

    Raises:
        OptionError: an argument is out of range.

    >>> feed = PictureFeed("depth", unit="m")
    >>> feed.push(np.ones((48, 64)), time=3.5)[0].start
    3.5
    """

    def __init__(
        self,
        modality: str,
        hop: float | None = None,
        fps: float | None = None,
        layout: str = "RGB",
        reorder: float = 0.1,
        **options: Any,
    ) -> None:
        for name, value in (("hop", hop), ("fps", fps)):
            if value is not None and not is_positive(value):
                raise OptionError(f"{name}={value!r}", "not a number above 0", "give one, or None")
        require_layout(layout)
        self._modality, self._layout = MODALITIES[modality], layout
        self._hop, self._fps, self._options = hop or 0.0, fps, options
        require_options(modality, options)
        self.counts = Counts()
        self._clock: StampClock[Array] = StampClock(reorder, self.counts)
        self._due = float("-inf")  # the time from which the next frame is taken
        self._key = ""
        #: Why the last window that was lost could not be made.
        self.last_error = ""

    def push(self, data: Any, time: Any = None) -> list[ReadyWindow]:
        """The frame's window, if the frame is taken.

        Args:
            data: the frame, an array.
            time: its seconds; None: by the rate.

        Raises:
            InputError: the frame cannot be an item of the modality.
        """
        frame = self.checked(data, time)
        if time is None:
            time = 0.0 if self._clock.newest is None else self._clock.newest + 1 / (self._fps or 1.0)
        ready = []
        for step in self._clock.take(Stamped(float(time), float(time), frame)):
            if isinstance(step, Anew):
                self._key, self._due = step.key, float("-inf")
                self.counts.add(step.key)
            elif step.first >= self._due - 1e-6:
                ready.append(self._window(step.piece, step.first))
        return ready

    def end(self) -> list[ReadyWindow]:
        """Nothing: no frame waits."""
        self._clock.end()
        return []

    def checked(self, data: Any, time: Any) -> Array:
        """The frame as an array; see :meth:`push` for what it raises."""
        name = arrays.item_name(data)
        if time is not None and not is_number(time):
            raise InputError(name, f"its time is {time!r}", "seconds, or None")
        if self._modality.name == "image":
            return checked_frame(data, self._layout)
        frame = arrays.to_numpy(data, name)
        if frame.ndim != 2 or frame.size == 0 or frame.dtype.kind not in "iuf":
            raise InputError(name, "this is not a map", "pass an array [H, W] of integers or floats")
        return frame

    def _window(self, frame: Array, time: float) -> ReadyWindow:
        views = self._modality.prepare(self._item(frame), DEFAULT_LIMITS, None)
        self._due = (self._due if self._due > time - self._hop else time) + self._hop
        self.counts.add("windows")
        notes: Mapping[str, float | int | str] = {**({self._key: 1} if self._key else {}), **views.notes}
        self._key = ""
        return ReadyWindow(time, time, Prepared(views.array[0], notes), notes)

    def _item(self, frame: Array) -> Any:
        wrapper = self._modality.wrapper
        assert wrapper is not None
        if self._modality.name != "image":
            return wrapper(frame, **self._options)
        if self._layout in _PLAIN:
            return wrapper(frame, layout=self._layout, **self._options)
        return wrapper(rgb_of(frame, self._layout), layout="RGB", **self._options)
