"""Good files of the rarer formats, to be damaged: what FFmpeg and libsndfile can make of them here."""

from __future__ import annotations

import io
from typing import Any

import av
import numpy as np

from support import media

SOUNDFILES = [
    ("AIFF", "PCM_16"),
    ("AIFF", "FLOAT"),
    ("AU", "PCM_16"),
    ("AU", "ULAW"),
    ("CAF", "PCM_24"),
    ("CAF", "ALAC_16"),
    ("W64", "PCM_16"),
    ("W64", "MS_ADPCM"),
    ("RF64", "PCM_16"),
    ("VOC", "PCM_16"),
    ("SVX", "PCM_16"),
    ("NIST", "PCM_16"),
    ("IRCAM", "PCM_16"),
    ("OGG", "OPUS"),
    ("WAV", "ULAW"),
]
#: FFmpeg's name of the container, of the encoder, the rate.
TRACKS = [
    ("adts", "aac", 44100),
    ("latm", "aac", 44100),
    ("ac3", "ac3", 48000),
    ("eac3", "eac3", 48000),
    ("mp2", "mp2", 44100),
    ("wv", "wavpack", 44100),
    ("tta", "tta", 44100),
    ("asf", "wmav2", 44100),
    ("flv", "aac", 44100),
    ("mpegts", "mp2", 44100),
    ("vob", "mp2", 44100),
    ("3gp", "aac", 44100),
    ("nut", "pcm_s16le", 44100),
    ("rm", "ac3", 44100),
    ("caf", "alac", 44100),
    ("wav", "ac3", 48000),
    ("oga", "flac", 44100),
    ("mxf_opatom", "pcm_s16le", 48000),
]
#: FFmpeg's name of the container, of the encoder.
VIDEOS = [
    ("mpegts", "libx264"),
    ("mpegts", "mpeg2video"),
    ("vob", "mpeg2video"),
    ("mpeg", "mpeg1video"),
    ("flv", "flv1"),
    ("asf", "wmv2"),
    ("asf", "msmpeg4v3"),
    ("3gp", "mpeg4"),
    ("avi", "libx264"),
    ("nut", "mpeg4"),
]
BARE = {"write_xing": "0", "id3v2_version": "0"}


def sound_files() -> dict[str, bytes]:
    """One small file of each, by name."""
    made = {}
    for fmt, subtype in SOUNDFILES:
        rate = 48000 if subtype == "OPUS" else media.RATE
        data = media.sound_bytes(fmt, media.waveform(0.6, 1, rate), rate, subtype=subtype)
        made[f"{subtype.lower()}.{fmt.lower()}"] = data
    for fmt, codec, rate in TRACKS:
        made[f"{codec}.{fmt}"] = track(fmt, codec, rate)
    mp3, ogg = track("mp3", "libmp3lame", 44100), media.sound_bytes("OGG", media.waveform(0.5, 1))
    tag = b"ID3\4\0\0\0\0\1\0" + bytes(128)
    made["bare.mp3"] = track("mp3", "libmp3lame", 44100, BARE)
    made["two.mp3"] = mp3 + mp3
    made["zeros.mp3"] = bytes(1000) + mp3
    made["middle.mp3"] = made["bare.mp3"][700:]
    made["tagged.aac"] = tag + made["aac.adts"]
    made["tagged.flac"] = tag + media.sound_bytes("FLAC", media.waveform(0.5, 1))
    made["chained.ogg"] = ogg + ogg
    return made


def video_files() -> dict[str, bytes]:
    """One small file of each, by name."""
    return {f"{codec}.{fmt}": _video(fmt, codec) for fmt, codec in VIDEOS}


def track(fmt: str, codec: str, rate: int, mux: Any = None) -> bytes:
    out = io.BytesIO()
    wave = media.waveform(0.8, 1, rate)
    with av.open(out, "w", format=fmt, options=mux or {}) as container:
        stream: Any = container.add_stream(codec, rate=rate, options={"strict": "-2"}, layout="mono")
        context = stream.codec_context
        context.bit_rate = 96_000
        frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = rate, 0
        to_encoder = av.AudioResampler(context.format.name, "mono", rate, context.frame_size or None)
        for piece in [*to_encoder.resample(frame), *to_encoder.resample(None), None]:
            for packet in stream.encode(piece):
                container.mux(packet)
    return out.getvalue()


def _video(fmt: str, codec: str) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format=fmt) as container:
        stream: Any = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for pixels in media.frames(24):
            for packet in stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24")):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return out.getvalue()
