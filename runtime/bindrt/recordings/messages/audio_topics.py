"""Sounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from bindrt.errors import InputError
from bindrt.modalities.audio import Audio
from bindrt.recordings.messages.context import Coding
from bindrt.recordings.messages.fields import data_of, field, number, stamp, text
from bindrt.recordings.messages.kinds import kind_of
from bindrt.recordings.messages.sounds import SoundDecoder, from_samples
from bindrt.recordings.messages.topic_reader import NotYet, TopicReader
from bindrt.recordings.sample import Sample

_PLAIN = ("", "wave", "wav", "pcm", "raw")
#: Seconds by which the record time of a block without a stamp may miss the end of the one before.
_SLACK = 0.25


class AudioTopic(TopicReader):
    """AudioData, AudioDataStamped, RawAudio and CompressedAudio.

    Bytes without a stamp follow on each other; if the record time is off by more than a quarter of a second,
    they begin anew there.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._decoder: SoundDecoder | None = None
        self._next: float | None = None

    def read(self, message: Any, recorded: int) -> Iterator[Sample]:
        kind = kind_of(self.topic.type)
        if kind == "foxglove/RawAudio":
            rate, channels = number(message, "sample_rate"), number(message, "number_of_channels")
            sounds: Iterable[Audio] = [
                from_samples(data_of(message), text(message, "format"), rate, channels)
            ]
        elif kind == "foxglove/CompressedAudio":
            sounds = self._decoded(data_of(message), text(message, "format"))
        else:
            data = data_of(field(message, "audio") if kind.endswith("Stamped") else message)
            coding = self._coding(data)
            plain = coding.coding.lower() in _PLAIN
            sounds = (
                [from_samples(data, coding.sample_format, coding.rate, coding.channels)]
                if plain
                else self._decoded(data, coding.coding)
            )
        yield from self._timed(sounds, stamp(message), recorded)

    def _timed(self, sounds: Iterable[Audio], told: float | None, recorded: int) -> Iterator[Sample]:
        for sound in sounds:
            assert sound.rate is not None
            samples: Any = sound.src
            seconds = samples.shape[1] / sound.rate
            time = told if told is not None else self._follows(recorded * 1e-9, seconds)
            self._next = time + seconds
            told = self._next if told is not None else None  # a packet may hold several frames
            yield Sample("audio", self.topic.name, time, recorded, lambda sound=sound: sound)  # type: ignore[misc]

    def _follows(self, recorded: float, seconds: float) -> float:
        """The time of a block without a stamp: it was recorded when it was complete."""
        begin = recorded - seconds
        if self._next is None or abs(begin - self._next) > _SLACK:
            return begin
        return self._next

    def _decoded(self, data: bytes, coding: str) -> Iterator[Audio]:
        if self._decoder is None or self._decoder.coding != coding:
            self._decoder = SoundDecoder(coding)
        return self._decoder.decode(data)

    def _coding(self, data: bytes) -> Coding:
        """What AudioInfo says, or the options; MP3 tells itself."""
        given = self.choice.options
        if given:
            return Coding(
                int(given.get("rate", 16000)),
                int(given.get("channels", 1)),
                str(given.get("sample_format", "S16LE")),
                str(given.get("coding", "wave")),
            )
        found, comes = self.context.coding(self.topic.name)
        if found is not None:
            return found
        if comes and self.waits:
            raise NotYet
        begins = len(data) > 1 and data[0] == 0xFF and data[1] & 0xE6 == 0xE2
        if begins or (self._decoder is not None and self._decoder.coding == "mp3"):
            return Coding(0, 0, "", "mp3")
        raise InputError(
            "",
            "no AudioInfo says how its bytes are to be read",
            "name it: --topic TOPIC=audio,rate=16000,channels=1,sample_format=S16LE",
        )
