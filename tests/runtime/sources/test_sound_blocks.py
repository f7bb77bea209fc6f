"""Sounds whose samples come in blocks: the blocks' heads are no samples, and their number is no length."""

from __future__ import annotations

import io
from typing import Any

import av
import numpy as np
import pytest

from bindrt import Audio, preprocess

RATE, BLOCK = 44100, 4000


def in_blocks(fmt: str, codec: str) -> bytes:
    """Three seconds of a tone, a packet a block."""
    out = io.BytesIO()
    tone = (12000 * np.sin(np.arange(3 * RATE) / 9)).astype(np.int16)[None]
    with av.open(out, "w", format=fmt) as media:
        stream: Any = media.add_stream(codec, rate=RATE, layout="mono")
        size = stream.codec_context.frame_size or BLOCK
        for at in range(0, tone.shape[1], size):
            frame = av.AudioFrame.from_ndarray(tone[:, at : at + size], format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE, at
            for packet in stream.encode(frame):
                media.mux(packet)
        for packet in stream.encode(None):
            media.mux(packet)
    return out.getvalue()


def decoded(data: bytes) -> np.ndarray:
    with av.open(io.BytesIO(data)) as media:
        resampler = av.AudioResampler(format="fltp")
        frames = [r.to_ndarray() for frame in media.decode(audio=0) for r in resampler.resample(frame)]
    return np.concatenate(frames, 1)


@pytest.mark.parametrize(
    ("fmt", "codec"),
    [("voc", "pcm_s16le"), ("avi", "adpcm_ms"), ("avi", "adpcm_ima_wav"), ("wav", "adpcm_ms")],
)
def test_all_blocks_are_heard(fmt: str, codec: str) -> None:
    data = in_blocks(fmt, codec)
    whole = decoded(data)
    assert whole.shape[1] >= 3 * RATE
    np.testing.assert_allclose(preprocess.audio(data), preprocess.audio(Audio(whole, rate=RATE)), atol=1e-3)
