"""``import bindrt`` loads little, and has all its names all the same."""

from __future__ import annotations

import subprocess
import sys

import bindrt

#: What takes long to import, and an embedding of some modality does without.
LATE = (
    "ftfy", "tarfile", "zipfile", "av", "soundfile", "tokenizers", "onnxruntime", "openvino", "asyncio",
    "PIL.TiffImagePlugin", "PIL.PngImagePlugin", "importlib.metadata", "bindrt.diagnosis",
    "bindrt.monitoring", "bindrt.streams", "bindrt.recordings", "bindrt.index", "bindrt.serving",
    "bindrt.loading", "bindrt.engines", "bindrt.pipeline", "bindrt.embeddings", "bindrt.modalities",
    "bindrt.sources", "bindrt.preprocess",
)  # fmt: skip


def test_what_takes_long_is_imported_when_it_is_needed() -> None:
    code = f"import sys, bindrt; print(*[name for name in {LATE!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_names_that_come_when_asked_for() -> None:
    from bindrt import Monitor, Window, doctor
    from bindrt.diagnosis import doctor as same_doctor

    assert (Monitor.__name__, Window.__name__) == ("Monitor", "Window")
    assert doctor is same_doctor
    assert set(bindrt.__all__) <= set(dir(bindrt))
    assert all(getattr(bindrt, name) is not None for name in bindrt.__all__)
