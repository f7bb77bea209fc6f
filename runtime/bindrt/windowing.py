"""``Model.windows``: long recordings, a vector a window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bindrt.errors import OptionError
from bindrt.isolation import Isolated
from bindrt.item_types import AudioItem, ImuItem, OnError, VideoItem
from bindrt.modalities import MODALITIES
from bindrt.numeric import is_number
from bindrt.option_checks import is_normalized, is_skip
from bindrt.pipeline import EmbeddingFuture, new_caller, request_options
from bindrt.pipeline.request_options import RequestOptions
from bindrt.preparation import Preparation
from bindrt.preprocess.dispatch import wrapped

if TYPE_CHECKING:
    from bindrt.streams.windows import Window


class Windowing:
    """What embeds recordings window by window."""

    _isolated: Isolated | None
    _preparation: Preparation

    def windows(
        self,
        *,
        audio: AudioItem | None = None,
        video: VideoItem | None = None,
        imu: ImuItem | None = None,
        window: float = 2.0,
        hop: float | None = None,
        normalize: bool = True,
        on_error: OnError = "raise",
        priority: int = 0,
        after: float | None = None,
    ) -> Iterator[Window]:
        """Embed recordings of any length, one vector a window and modality, in constant memory.

        Files are decoded once, in order, while earlier windows are computed. Each vector is that of the same
        seconds cut out: ``w["audio"]`` is ``embed(audio=Audio(src, start=w.start, end=w.end))``. The last
        window is shorter where the recording ends within it; its note ``short_window`` has its seconds.

        Args:
            audio, video, imu: one recording each, on one clock: a file, or its wrapper with ``start``,
                ``end`` and ``strict``. A video's sound is embedded only if it is given as ``audio`` too.
            window: seconds of a window. The model was trained on 2 s of sound and video, and 5 s of imu.
            hop: seconds from the start of one window to the next; None: half a window.
            normalize, priority: as in :meth:`submit`.
            on_error: ``raise`` an error once all windows before it are delivered, also that of a file that
                ends too early; or ``skip``: it stands in the ``errors`` of the first window that lacks the
                modality, and the others go on.
            after: windows that begin at this second or before are left out, to go on where an earlier call
                ended. Their seconds are decoded all the same.

        Returns:
            Windows in order; see :class:`bindrt.Window`.

        Raises:
            OptionError: no recording, or an option has a value that it cannot have.
            Error: an item is bad, or an engine failed.

        >>> [(w.start, w.end, list(w)) for w in model.windows(audio="bell.wav", window=1.0, hop=0.5)][0]
        (0.0, 1.0, ['audio'])
        """
        from bindrt.streams.windows import Schedule, windows  # when asked: embedding does without

        given = {"audio": audio, "video": video, "imu": imu}
        taken = {m: self._preparation.taken(item) for m, item in given.items() if item is not None}
        items = {m: wrapped(MODALITIES[m], item) for m, item in taken.items()}
        if not items:
            raise OptionError("windows", "there is no recording", "give audio=, video= or imu=")
        for modality in items:
            self._require(modality)
        if self._isolated is not None:
            raise OptionError(
                "windows",
                "a model that isolates decoders decodes item by item",
                "load it without isolate=True",
            )
        if after is not None and not is_number(after):
            raise OptionError(f"after={after!r}"[:80], "not a time", "give seconds, or None")
        options = request_options(priority, None, is_normalized(normalize), new_caller())
        schedule = Schedule.of(window, hop, _origin(items))

        def submit(modality: str, item: Any) -> EmbeddingFuture:
            return self._queue(modality, item, options, block=True)

        return windows(items, schedule, self._preparation.limits, submit, is_skip(on_error), after)

    def _require(self, modality: str) -> None:
        raise NotImplementedError

    def _queue(self, modality: str, item: object, options: RequestOptions, block: bool) -> EmbeddingFuture:
        raise NotImplementedError


def _origin(items: dict[str, Any]) -> float:
    """Where the clock of all sources begins.

    Raises:
        OptionError: they begin at different seconds.
    """
    starts = {m: getattr(item, "start", None) or 0.0 for m, item in items.items()}
    if len(set(starts.values())) > 1:
        told = ", ".join(f"{m} at {start:g} s" for m, start in starts.items())
        raise OptionError("windows", f"they begin at different seconds: {told}", "give all the same start")
    return float(next(iter(starts.values())))
