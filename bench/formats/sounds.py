"""Sounds, beside a full decode by FFmpeg, or by libsndfile where FFmpeg has no such demuxer."""

from __future__ import annotations

import functools
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile

import bindrt
from bench.formats.case import Case, ffmpeg
from bindrt import preprocess

RATE = 44100
#: Container, suffix, codec, options of ffmpeg, the demuxer of the full decode.
MADE_BY_FFMPEG = [
    ("MP3", "mp3", "libmp3lame", "-b:a 128k", "mp3"),
    ("MP3, VBR, no header", "mp3", "libmp3lame", "-q:a 4 -write_xing 0 -id3v2_version 0", "mp3"),
    ("MP3, 8 kHz", "mp3", "libmp3lame", "-ar 8000 -b:a 16k", "mp3"),
    ("MP2", "mp2", "mp2", "", "mp3"),
    ("AAC (ADTS)", "aac", "aac", "", "aac"),
    ("LATM", "latm", "aac", "-f latm", "loas"),
    ("M4A", "m4a", "aac", "", "mov"),
    ("M4A", "m4a", "alac", "", "mov"),
    ("M4B", "m4b", "aac", "-f ipod", "mov"),
    ("MOV", "mov", "pcm_s16le", "", "mov"),
    ("MP4", "mp4", "libmp3lame", "", "mov"),
    ("MP4", "mp4", "libopus", "-ar 48000", "mov"),
    ("MP4", "mp4", "flac", "", "mov"),
    ("MP4", "mp4", "ac3", "", "mov"),
    ("3GP", "3gp", "libgsm", "", "mov"),
    ("3GP", "3gp", "aac", "", "mov"),
    ("3G2", "3g2", "aac", "", "mov"),
    ("MKV", "mka", "libvorbis", "", "matroska"),
    ("MKV", "mka", "flac", "", "matroska"),
    ("MKV", "mka", "pcm_f32le", "", "matroska"),
    ("MKV", "mka", "dca", "-ar 48000", "matroska"),
    ("MKV", "mka", "truehd", "-ar 48000", "matroska"),
    ("WebM", "webm", "libopus", "-ar 48000", "matroska"),
    ("AVI", "avi", "libmp3lame", "", "avi"),
    ("AVI", "avi", "pcm_s16le", "", "avi"),
    ("ASF (WMA)", "wma", "wmav2", "", "asf"),
    ("ASF (WMA)", "wma", "wmav1", "", "asf"),
    ("FLV", "flv", "libmp3lame", "", "flv"),
    ("FLV", "flv", "aac", "", "flv"),
    ("FLV", "flv", "nellymoser", "-ac 1", "flv"),
    ("MPEG-TS", "ts", "aac", "", "mpegts"),
    ("MPEG-TS", "ts", "mp2", "", "mpegts"),
    ("MPEG-TS", "ts", "libopus", "-ar 48000", "mpegts"),
    ("M2TS", "m2ts", "ac3", "", "mpegts"),
    ("MPEG-PS", "mpg", "mp2", "-f vob", "mpeg"),
    ("AC-3", "ac3", "ac3", "", "ac3"),
    ("E-AC-3", "eac3", "eac3", "", "eac3"),
    ("DTS", "dts", "dca", "-ar 48000", "dts"),
    ("WavPack", "wv", "wavpack", "", "wv"),
    ("True Audio", "tta", "tta", "", "tta"),
    ("OGG", "ogg", "libvorbis", "", "ogg"),
    ("OGG", "opus", "libopus", "-ar 48000", "ogg"),
    ("OGG", "oga", "flac", "", "ogg"),
    ("OGG", "spx", "libspeex", "-ar 16000 -ac 1", "ogg"),
    ("FLAC, in a pipe", "flac", "flac", "-flush_packets 1", "flac"),
    ("WAV", "wav", "adpcm_ms", "", "wav"),
    ("WAV", "wav", "adpcm_ima_wav", "", "wav"),
    ("WAV", "wav", "pcm_mulaw", "", "wav"),
    ("WAV", "wav", "pcm_f64le", "", "wav"),
    ("WAV", "wav", "libmp3lame", "", "wav"),
    ("WAV", "wav", "ac3", "", "wav"),
    ("WAV", "wav", "aac", "", "wav"),
    ("AIFF-C", "aiff", "pcm_s16le", "", "aiff"),
    ("AIFF-C", "aiff", "pcm_f32be", "", "aiff"),
    ("AU", "au", "pcm_alaw", "", "au"),
    ("CAF", "caf", "alac", "", "caf"),
    ("CAF", "caf", "libopus", "-ar 48000", "caf"),
    ("W64", "w64", "pcm_s24le", "", "w64"),
    ("RealMedia", "rm", "real_144", "-ar 8000 -ac 1", "rm"),
    ("RealMedia", "rm", "ac3", "", "rm"),
    ("NUT", "nut", "pcm_s16le", "", "nut"),
    ("MXF", "mxf", "pcm_s16le", "-f mxf_opatom -ar 48000 -ac 1", "mxf"),
    ("WTV", "wtv", "mp2", "", "wtv"),
]
#: Format and subtype of libsndfile, the demuxer of FFmpeg's full decode; None: libsndfile's own.
MADE_BY_LIBSNDFILE = [
    ("WAV", "PCM_16", "wav"),
    ("WAV", "PCM_24", "wav"),
    ("WAV", "GSM610", None),
    ("RF64", "PCM_16", "wav"),
    ("W64", "PCM_16", "w64"),
    ("AIFF", "PCM_16", "aiff"),
    ("AIFF", "PCM_S8", "aiff"),
    ("AU", "PCM_16", "au"),
    ("CAF", "PCM_16", "caf"),
    ("CAF", "FLOAT", "caf"),
    ("FLAC", "PCM_24", "flac"),
    ("OGG", "VORBIS", "ogg"),
    ("OGG", "OPUS", "ogg"),
    ("MP3", "MPEG_LAYER_III", "mp3"),
    ("VOC", "PCM_16", "voc"),
    ("SVX", "PCM_16", None),
    ("NIST", "PCM_16", None),
    ("IRCAM", "PCM_16", None),
]
#: What several of its files, one after the other, are called; how many; format of libsndfile.
JOINED = [("MP3, two in one", 2, "MP3"), ("OGG, chained", 3, "OGG"), ("FLAC, two in one", 2, "FLAC")]


def cases() -> Iterator[Case]:
    for container, suffix, codec, options, demuxer in MADE_BY_FFMPEG:
        make = functools.partial(_by_ffmpeg, suffix, codec, tuple(options.split()))
        yield Case("audio", container, codec, "ffmpeg", make, functools.partial(difference, demuxer))
    for container, subtype, name in MADE_BY_LIBSNDFILE:
        make = functools.partial(_by_libsndfile, container, subtype)
        yield Case("audio", container, subtype, "libsndfile", make, functools.partial(difference, name))
    for container, count, codec in (
        ("MP3, two in one", 2, "MP3"),
        ("OGG, chained", 3, "OGG"),
        ("FLAC, two in one", 2, "FLAC"),
    ):
        make = functools.partial(_several, codec, count)
        yield Case("audio", container, codec, "libsndfile", make, functools.partial(_as_parts, codec, count))


def wave(seconds: float = 8.0) -> np.ndarray:
    """A rising tone in stereo, float32 ``[N, 2]``: which part of it was heard shows."""
    t = np.arange(int(seconds * RATE)) / RATE
    tone = 0.5 * np.sin(2 * np.pi * (200 * t + 150 * t * t))
    return np.stack([tone, 0.5 * tone], 1).astype(np.float32)


def difference(demuxer: str | None, data: bytes) -> float:
    """The largest difference in the log-mel spectrum from a full decode."""
    samples, rate = _decoded(data, demuxer) if demuxer else _read(data)
    return _from(preprocess.audio(data), samples, rate)


def _from(out: np.ndarray, samples: np.ndarray, rate: int) -> float:
    want = preprocess.audio(bindrt.Audio(samples, rate=rate))
    return float(np.abs(out - want).max())


def _decoded(data: bytes, demuxer: str) -> tuple[np.ndarray, int]:
    with av.open(io.BytesIO(data), format=demuxer) as media:
        rate = media.streams.audio[0].rate
        resampler = av.AudioResampler(format="fltp", rate=rate)
        blocks = [p.to_ndarray() for f in media.decode(audio=0) for p in resampler.resample(f)]
    return np.concatenate(blocks, 1), rate


def _read(data: bytes) -> tuple[np.ndarray, int]:
    samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    return samples.T, rate


def _by_ffmpeg(suffix: str, codec: str, options: tuple[str, ...]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "wave.wav"
        soundfile.write(source, wave(), RATE, "PCM_24")
        return ffmpeg(source, suffix, "-c:a", codec, *options)


def _by_libsndfile(container: str, subtype: str, samples: np.ndarray | None = None) -> bytes:
    out = io.BytesIO()
    rate = 48000 if subtype == "OPUS" else RATE
    samples = wave() if samples is None else samples
    if container == "SVX" or subtype == "GSM610":  # they have one channel
        samples = samples[:, 0]
    soundfile.write(out, samples, rate, format=container, subtype=subtype)
    return out.getvalue()


def _parts(codec: str, count: int) -> list[bytes]:
    subtype: dict[str, Any] = {"MP3": "MPEG_LAYER_III", "OGG": "VORBIS", "FLAC": "PCM_16"}
    return [_by_libsndfile(codec, subtype[codec], part) for part in np.array_split(wave(), count)]


def _several(codec: str, count: int) -> bytes:
    return b"".join(_parts(codec, count))


def _as_parts(codec: str, count: int, data: bytes) -> float:
    samples = np.concatenate([_read(part)[0] for part in _parts(codec, count)], 1)
    return _from(preprocess.audio(data), samples, RATE)
