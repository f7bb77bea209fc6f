"""Compressed video."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from bindrt import _core
from bindrt.modalities.image import Image
from bindrt.recordings.messages.fields import data_of, text
from bindrt.recordings.messages.topic_reader import TopicReader
from bindrt.recordings.messages.videos import VideoDecoder
from bindrt.recordings.sample import Sample
from bindrt.sources.colour import picture_of


class VideoTopic(TopicReader):
    """CompressedVideo: H.264, H.265, VP9 or AV1, a frame a message."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._decoder: VideoDecoder | None = None

    def read(self, message: Any, recorded: int) -> Iterator[Sample]:
        coding = text(message, "format")
        if self._decoder is None or self._decoder.coding != coding:
            self._decoder = VideoDecoder(coding, self.limits)
        time = self.time_of(message, recorded)
        yield from self._samples(self._decoder.decode(data_of(message), time, recorded))

    def end(self) -> Iterator[Sample]:
        if self._decoder is not None:
            yield from self._samples(self._decoder.end())

    def _samples(self, frames: Iterable[tuple[Any, float, int]]) -> Iterator[Sample]:
        modality = self.choice.modality or "video"
        for frame, time, recorded in frames:
            yield Sample(modality, self.topic.name, time, recorded, lambda frame=frame: _image(frame))  # type: ignore[misc]


def _image(frame: Any) -> Image:
    return Image(_core.picture_to_rgb(picture_of(frame)), layout="RGB")
