"""The last seconds of a microphone as the model hears them."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import PIL.Image

from bindrt import arrays, preprocess
from bindrt.arrays import Array
from bindrt.errors import InputError
from bindrt.limits import Limits
from bindrt.modalities.audio import Audio
from bindrt.modalities.steps import constants as c
from bindrt.numeric import is_positive
from bindrt.streams.feeds.mel_store import HOP
from bindrt.watching.previews.colours import as_jpeg, false_colours
from bindrt.watching.previews.preview import Preview

#: The length of the model's own clips, and the least by which the picture moves, in seconds.
_SECONDS, _STEP = 2.0, 0.1
#: The frames of a clip; those that the model's input has beyond them are empty.
_FRAMES = 1 + (round(_SECONDS * c.AUDIO_RATE) - c.MEL_WINDOW) // HOP
#: The model's input from silence to full scale, about.
_SILENT, _LOUD = -1.3, 1.1
_BLOCKS = 4096


class SoundPreview(Preview):
    """The spectrogram of the newest 2 s: the model's log-mel input."""

    kind = "sound"

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self._blocks: deque[Array] = deque(maxlen=_BLOCKS)
        self._rate, self._held, self._new = 0.0, 0, 0

    def keep(self, item: Audio) -> bool:
        samples = arrays.to_numpy(item.src, "audio")
        if item.rate is None or not is_positive(item.rate) or samples.ndim not in (1, 2):
            raise InputError("audio", "not a block of a waveform", "give Audio(samples [n], rate=48000)")
        if item.rate != self._rate:
            self._blocks.clear()
            self._rate, self._held = float(item.rate), 0
        block = samples[None] if samples.ndim == 1 else samples
        if self._blocks and (len(block), block.dtype) != (len(self._blocks[-1]), self._blocks[-1].dtype):
            self._blocks.clear()
            self._held = 0
        self._blocks.append(block.copy())
        self._held += block.shape[1]
        while len(self._blocks) > 1 and self._held - self._blocks[0].shape[1] >= _SECONDS * self._rate:
            self._held -= self._blocks.popleft().shape[1]
        self._new += block.shape[1]
        if self._new < _STEP * self._rate:
            return False
        self._new = 0
        return True

    def kept(self) -> Any:
        return list(self._blocks), self._rate

    def draw(self, kept: Any) -> tuple[str, bytes]:
        blocks, rate = kept
        count = round(_SECONDS * rate)
        samples = np.concatenate(blocks, axis=1)[:, -count:]
        samples = np.pad(samples, ((0, 0), (count - samples.shape[1], 0)))
        mel = preprocess.audio(Audio(samples, rate=rate))[0, 0, :, :_FRAMES]
        shares = (mel[::-1] - _SILENT) / (_LOUD - _SILENT)
        return as_jpeg(PIL.Image.fromarray(false_colours(shares)).resize((2 * _FRAMES, 256)))
