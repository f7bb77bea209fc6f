"""``Model.live`` and ``Model.join``: vectors of what sensors give."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, overload
from weakref import WeakSet

from bindrt.errors import ClosedError, OptionError, Overloaded
from bindrt.lifetime import Lifetime
from bindrt.option_checks import is_normalized
from bindrt.pipeline import EmbeddingFuture, Pipelines, new_caller, request_options
from bindrt.pipeline.request_options import RequestOptions

if TYPE_CHECKING:
    from bindrt.streams.arrivals import LiveWindow
    from bindrt.streams.feeds.layouts import CameraLayout
    from bindrt.streams.joining import Joined
    from bindrt.streams.live import LiveStream
    from bindrt.streams.opening import ImuStream
    from bindrt.streams.policies import PolicyName

SensorName = Literal["audio", "imu", "video", "image", "depth", "thermal"]


class Sensing:
    """What can open live streams."""

    embed_dim: int
    pipelines: Pipelines
    _lifetime: Lifetime
    _streams: WeakSet[LiveStream]

    @overload
    def live(
        self,
        modality: Literal["imu"],
        *,
        rate: float | None = None,
        window: float | None = None,
        hop: float | None = None,
        policy: PolicyName = "latest",
        queue: int = 8,
        priority: int = 0,
        on_result: Callable[[LiveWindow], object] | None = None,
        normalize: bool = True,
        reorder: float | None = None,
        max_gap: float | None = None,
        **options: Any,
    ) -> ImuStream: ...

    @overload
    def live(
        self,
        modality: SensorName,
        *,
        rate: float | None = None,
        channels: int | None = None,
        window: float | None = None,
        hop: float | None = None,
        fps: float | None = None,
        layout: CameraLayout | None = None,
        policy: PolicyName = "latest",
        queue: int = 8,
        priority: int = 0,
        on_result: Callable[[LiveWindow], object] | None = None,
        normalize: bool = True,
        reorder: float | None = None,
        max_gap: float | None = None,
        **options: Any,
    ) -> LiveStream: ...

    def live(
        self,
        modality: SensorName,
        *,
        policy: PolicyName = "latest",
        queue: int = 8,
        priority: int = 0,
        on_result: Callable[[LiveWindow], object] | None = None,
        normalize: bool = True,
        **options: Any,
    ) -> LiveStream:
        """Embed what a sensor gives, window by window; docs/streams.md.

        Args:
            modality: ``audio``, ``imu``, ``video``, ``image``, ``depth`` or ``thermal``.
            rate: samples per second, of ``audio``; of ``imu`` where samples come without times.
            channels: of audio.
            window, hop: seconds of a window (audio and video 2, imu 5), and from one to the next (1). Each
                ``image``, ``depth`` map and ``thermal`` frame is a window; with ``hop`` one in that time.
            fps, layout: of frames: their rate if they come without times; ``"RGB"``, ``"BGR"``, ``"RGBA"``,
                ``"L"``, ``"NV12"``, ``"YUYV"``, ``"UYVY"``, ``"BAYER_RGGB"``, ….
            policy: when the model is slower than the sensor: ``"latest"``: the newest window wins; ``"all"``:
                ``push`` raises ``Overloaded`` when ``queue`` windows wait; ``"even"``: some, at even
                distances.
            queue: windows that may wait; with the other policies, results that may wait for a reader.
            priority, normalize: as in :meth:`submit`.
            on_result: called with each result, on a thread of the stream; else iterate over the stream.
            reorder, max_gap: seconds within which what comes out of order is put right, and the longest gap
                that does not lose its windows.
            options: those of the modality's items: ``accel_unit="g"``, ``camera="realsense"``, ``low=…``.

        Raises:
            OptionError: an option is out of range, or not one of the modality's.
            ClosedError: the model is closed.

        >>> with bindrt.load("tiny") as model:
        ...     with model.live("audio", rate=16000, policy="all") as stream:
        ...         stream.push(np.zeros(48000, np.float32))
        ...     [(w.start, w.end, w.vector.shape) for w in stream]
        [(0.0, 2.0, (96,)), (1.0, 3.0, (96,))]
        """
        from bindrt.streams.hands import hands
        from bindrt.streams.live import Backend, LiveOptions
        from bindrt.streams.opening import open_live

        request = request_options(priority, None, is_normalized(normalize), new_caller())

        def submit(item: object) -> EmbeddingFuture | None:
            try:
                return self._queue(modality, item, request, block=False)
            except Overloaded:
                return None

        backend = Backend(
            f"live {modality}",
            self.embed_dim,
            submit,
            self.pipelines.call_on_progress,
            self._lifetime.require,
            hands(os.getpid(), self.pipelines.scheduling),
        )
        stream = open_live(modality, backend, LiveOptions(policy, queue, on_result), options)
        self.engine(modality)  # now, since a thread of the streams must not wait for it
        self._streams.add(stream)
        try:
            self._lifetime.require()  # it may have been closed meanwhile, and with it the streams it knew
        except ClosedError:
            stream.close()
            raise
        return stream

    def join(
        self,
        streams: Mapping[str, LiveStream],
        weights: Mapping[str, float] | None = None,
        max_age: float = 1.0,
    ) -> Joined:
        """Joint vectors of several streams, whose times are of one clock.

        Args:
            streams: by names of your own. Their results go to the joint stream.
            weights: of the parts' vectors in the sum; 1 where none is given.
            max_age: seconds by which a part may be older than the newest one. With an older part there is no
                joint vector.

        Returns:
            An iterator, also an asynchronous one, of joint windows: ``vector``, ``start``, ``end``, ``ages``.

        Raises:
            OptionError: no streams, a weight below 0, or one of no stream.

        >>> with bindrt.load("tiny") as model:
        ...     parts = {"sound": model.live("audio", rate=16000), "motion": model.live("imu", rate=400)}
        ...     with model.join(parts, max_age=3.0) as joint:
        ...         parts["sound"].push(np.zeros(32000, np.float32))
        ...         parts["motion"].push(np.ones((6, 2020)))
        ...     [(w.end, w.ages) for w in joint]
        [(5.0, {'sound': 3.0, 'motion': 0.0})]
        """
        from bindrt.streams.joining import Joined

        if not isinstance(streams, Mapping) or not isinstance(weights or {}, Mapping):
            raise OptionError("join", "no live streams", 'give them by name: join({"audio": s, "imu": t})')
        return Joined(streams, weights or {}, max_age)

    def _end_streams(self, drain: bool) -> None:
        for stream in list(self._streams):
            stream.close(drain)

    def engine(self, modality: SensorName) -> Any:
        raise NotImplementedError

    def _queue(self, modality: str, item: object, options: RequestOptions, block: bool) -> EmbeddingFuture:
        raise NotImplementedError
