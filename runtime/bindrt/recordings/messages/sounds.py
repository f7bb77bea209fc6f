"""Sounds of messages: samples as they are, and compressed ones through FFmpeg."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from bindrt.arrays import Array
from bindrt.errors import InputError
from bindrt.modalities.audio import Audio

_FORMAT = re.compile(r"(?P<kind>[SU](?=8|16|32)|F(?=32|64))(?P<bits>\d\d?)(?P<order>LE|BE)?", re.IGNORECASE)
_MOST_CHANNELS = 64


def from_samples(data: bytes, form: str, rate: int, channels: int) -> Audio:
    """Interleaved samples as a waveform.

    Args:
        form: for example ``S16LE``, ``F32LE`` or ``pcm-s16``.

    Raises:
        InputError: an unknown format, no channels or rate, or not a whole number of samples.
    """
    found = _FORMAT.fullmatch("S16LE" if form.lower() == "pcm-s16" else form)
    if found is None:
        raise InputError("", f"{form[:40]!r} is no format of samples", "for example S16LE, S32LE, F32LE, U8")
    if not 1 <= channels <= _MOST_CHANNELS or rate < 1:
        raise InputError("", f"it says {channels} channels and {rate} Hz", "each is at least 1")
    kind, bits, order = found["kind"].lower(), int(found["bits"]), (found["order"] or "LE").upper()
    dtype = np.dtype(f"{'>' if order == 'BE' else '<'}{kind.replace('s', 'i')}{bits // 8}")
    if len(data) % (dtype.itemsize * channels):
        raise InputError(
            "",
            f"{len(data)} bytes are no whole number of samples",
            f"one has {dtype.itemsize * channels} bytes",
        )
    samples = np.frombuffer(data, dtype).reshape(-1, channels).T
    return Audio(_full_scale(samples, kind, bits), rate=rate)


def _full_scale(samples: Array, kind: str, bits: int) -> Array:
    """float32 with full scale -1 to 1; 16 bits stay as they are."""
    if kind == "s" and bits == 16:
        return samples.astype(np.int16)
    values = samples.astype(np.float64)
    if kind == "u":
        values -= 2.0 ** (bits - 1)
    if kind != "f":
        values /= 2.0 ** (bits - 1)
    return values.astype(np.float32)


class SoundDecoder:
    """Decodes packets of one topic: raw Opus packets, AAC in ADTS, or pieces of an MP3."""

    def __init__(self, coding: str) -> None:
        """
        Raises:
            InputError: an unknown coding.
        """
        self.coding = coding
        self._codec = _CODECS.get(coding.lower(), "")
        if not self._codec:
            raise InputError(
                "", f"{coding[:40]!r} is no coding of sound", f"it is one of {', '.join(_CODECS)}"
            )
        self._context: Any = None

    def decode(self, data: bytes) -> Iterator[Audio]:
        """The sound of a packet.

        Raises:
            InputError: FFmpeg cannot decode it; the next packets may be well again.
        """
        import av

        if self._context is None:
            self._context = self._open(data)
        try:
            packets = self._context.parse(data) if self._codec == "mp3" else [av.Packet(data)]
            frames = [frame for packet in packets for frame in self._context.decode(packet)]
        except av.error.FFmpegError as error:
            raise InputError("", f"FFmpeg cannot decode it: {error}", "the packet is damaged") from error
        for frame in frames:
            samples = frame.to_ndarray()
            if not frame.format.is_planar:
                samples = samples.reshape(-1, frame.layout.nb_channels).T
            yield Audio(_decoded(samples), rate=frame.sample_rate)

    def _open(self, first: bytes) -> Any:
        import av

        context: Any = av.CodecContext.create(self._codec, "r")
        if self._codec == "opus":  # a raw packet says whether it is stereo
            context.sample_rate = 48000
            context.layout = "stereo" if first and first[0] & 4 else "mono"
        return context


_CODECS = {"opus": "opus", "mp4a.40.2": "aac", "aac": "aac", "mp3": "mp3"}


def _decoded(samples: Array) -> Array:
    if samples.dtype == np.int16 or samples.dtype.kind == "f":
        return np.asarray(samples, samples.dtype if samples.dtype == np.int16 else np.float32)
    return (samples.astype(np.float64) / 2.0 ** (8 * samples.dtype.itemsize - 1)).astype(np.float32)
