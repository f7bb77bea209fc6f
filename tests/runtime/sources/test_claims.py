"""Files whose tables claim more than they hold are refused before memory is taken for it."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import av
import numpy as np
import pytest

from bindrt import LimitError, Limits, SourceError, preprocess
from bindrt.modalities import MODALITIES
from bindrt.sources import claims, open_source
from bindrt.sources.claims_mp4 import look
from bindrt.sources.container import open_container
from bindrt.sources.formats import FORMATS
from support.both_ways import prepared_by_python
from support.media import waveform, write_video
from support.tables import box, full, matroska, movie, numbers

MANY = 50_000_000
MP4 = next(known for known in FORMATS if known.name == "mov")
CLAIMS = {
    "samples of one byte": movie(5_000_000, 1, scale=10**6, chunks=5000),
    "a table of sizes beyond the end": movie(20, 0, stsz=numbers(0, MANY)),
    "a few too many sizes": movie(20, 0, stsz=numbers(0, 1000)),
    "samples at the same place": movie(50_000, 1000),
    "a run of a fragment": movie(20, 40, extra=[box(b"moof", box(b"traf", full(b"trun", numbers(MANY))))]),
    "runs of many fragments": movie(20, 40) + box(b"moof", box(b"traf", full(b"trun", numbers(1000)))) * 200,
    "places of chunks": movie(20, 40, extra=[full(b"stco", numbers(MANY))]),
    "a table where none belongs": movie(20, 40, extra=[box(b"udta", full(b"stsz", numbers(4, MANY)))]),
    "a table within meta": movie(20, 40, extra=[full(b"meta", full(b"co64", numbers(MANY)))]),
    "sound by samples": movie(MANY, 2, handler=b"soun", step=2),
    "sound by chunks": movie(20, 1, handler=b"soun", per_chunk=1 << 31),
    "laced blocks": matroska(2000, laced=256),
    "small blocks": matroska(150_000),
}


@pytest.mark.parametrize("name", CLAIMS)
@pytest.mark.parametrize("modality", ["video", "audio"])
def test_more_than_the_file_holds(name: str, modality: str) -> None:
    with pytest.raises((SourceError, LimitError), match=r"packets|has \d+"):
        getattr(preprocess, modality)(CLAIMS[name])


def test_a_packed_header() -> None:
    plain = movie(20, 0, stsz=numbers(0, MANY))
    at = plain.index(b"moov") - 4
    header = zlib.compress(plain[at:])
    packed = box(b"cmov", box(b"dcom", b"zlib"), box(b"cmvd", numbers(len(plain) - at), header))
    with pytest.raises(LimitError, match="packets"):
        preprocess.video(plain[:at] + box(b"moov", packed))
    bomb = box(b"cmov", box(b"cmvd", numbers(1 << 30), header))
    with pytest.raises(SourceError, match="packed header"):
        preprocess.video(plain[:at] + box(b"moov", bomb))


@pytest.mark.parametrize("options", [{}, {"movflags": "frag_keyframe+empty_moov"}])
def test_what_a_file_does_hold_is_counted(options: dict[str, str], tmp_path: Path) -> None:
    path = write_video(tmp_path / "video.mp4", count=50, options={"g": "10"}, container=options, audio="aac")
    with path.open("rb") as stream:
        claim = look(stream, path.stat().st_size, 10**6)
    with av.open(str(path)) as media:
        packets = [p.stream_index for p in media.demux() if p.size]
    expected = len(packets) if options else max(np.bincount(packets))
    assert (claim.packets, claim.wrong) == (expected, "")


@pytest.mark.parametrize("codec", ["pcm_s16le", "adpcm_ima_qt", "alac"])
def test_sound_that_counts_single_samples(codec: str) -> None:
    """QuickTime counts samples of sound, of which many are one packet."""
    out = io.BytesIO()
    with av.open(out, "w", format="mov") as media:
        stream = media.add_stream(codec, rate=48000)
        frame = av.AudioFrame.from_ndarray(
            (waveform(9.0, 2, 48000) * 32767).astype(np.int16).T.reshape(1, -1), format="s16", layout="stereo"
        )
        frame.sample_rate = 48000
        size = stream.codec_context.frame_size or None
        resampler = av.AudioResampler(stream.format.name, "stereo", 48000, frame_size=size)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            media.mux(stream.encode(part))
        media.mux(stream.encode(None))
    assert preprocess.audio(out.getvalue()).shape == (3, 1, 128, 204)


def test_limits(tmp_path: Path) -> None:
    path = write_video(tmp_path / "video.mp4", count=50)
    with pytest.raises(LimitError, match="more than 49 packets"):
        preprocess.video(path, limits=Limits(max_packets=49))
    preprocess.video(path, limits=Limits(max_packets=50))
    with pytest.raises(LimitError, match="more than 49 packets"):
        preprocess.detect(path, limits=Limits(max_packets=49))


def test_a_higher_limit_holds_wherever_the_file_is_opened(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = write_video(tmp_path / "video.mp4", count=50, audio="aac")
    higher = Limits(max_packets=1000)
    low = (Limits(max_packets=10),)
    monkeypatch.setattr(open_container.__wrapped__, "__defaults__", low)
    with pytest.raises(LimitError, match="10 packets"), open_container(open_source(path), MP4):
        pass
    assert preprocess.detect(path, limits=higher) == "video"
    preprocess.video(path, limits=higher, strict=True)
    preprocess.audio(path, limits=higher)


def test_pixels_of_each_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A still picture takes few bytes a frame; so many large frames in so few bytes are nothing else."""
    path = write_video(tmp_path / "video.mkv", count=50)
    monkeypatch.setattr("bindrt.sources.video.FREE_PIXELS", 0)
    prepared_by_python(MODALITIES["video"], path)
    with pytest.raises(LimitError, match=r"packets decode to 1\.5e\+05 pixels; raise Limits.max_pixels_per"):
        prepared_by_python(MODALITIES["video"], path, Limits(max_pixels_per_byte=1))


def test_frames_a_second() -> None:
    claims.check_rate(100_000, "x")
    with pytest.raises(SourceError, match=r"1e\+06 frames a second"):
        claims.check_rate(1e6, "x")


def test_boxes_that_are_compared_with_each_other() -> None:
    """FFmpeg takes minutes for 300 000 of them."""
    protection = full(b"pssh", bytes(16), numbers(0))
    with pytest.raises(SourceError, match="boxes of how it is protected"):
        preprocess.video(movie(20, 40, extra=[protection * 1001]))
