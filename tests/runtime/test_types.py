"""mypy finds the mistakes that callers make, and accepts what is right."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import bindrt

RIGHT = """
import io, mmap, socket, tarfile, tempfile, zipfile
from pathlib import Path
import numpy as np
import numpy.typing as npt
import PIL.Image
import bindrt
from bindrt.item_types import ModalityName

waveform = np.zeros(16000, np.float32)
pixels = np.zeros((4, 4, 3), np.uint8)
model = bindrt.load("tiny", engine="onnxruntime", precision="fp32", modalities=["image", "text"], threads=2)
e = model.embed(image="cat.jpg", text=["a", "b"], audio=bindrt.Audio(waveform, rate=16000), on_error="skip")
rows: npt.NDArray[np.float32] = e["image"]
also: npt.NDArray[np.float32] = e.image
model.embed(image=Path("cat.jpg"), video="a.mp4", depth=bindrt.Depth(pixels, unit="mm"), thermal=pixels)
model.embed(image=[b"bytes", pixels, bindrt.Image(pixels, layout="BGR"), PIL.Image.new("RGB", (3, 3))])
model.embed(image=np.array(["a.jpg", "b.jpg"]), text=(t for t in "ab"), imu=bindrt.Imu("a.csv", rate=9))
model.embed(image={"bytes": b"", "path": None}, audio={"array": waveform, "sampling_rate": 16000})
model.embed(image=[io.BytesIO(), open("a.jpg", "rb"), tempfile.TemporaryFile(), zipfile.Path("a.zip")])
model.embed(image=bindrt.Prepared.batch(np.zeros((4, 3, 224, 224), np.float32)))

def several(m: mmap.mmap, s: socket.socket, t: tarfile.TarFile, paths: list[Path], more: tuple[str]) -> None:
    model.embed(image=m, video=s, audio=t.extractfile("a.wav"))
    model.embed(image=paths, audio=more, text=more)

for modality in model.modalities:
    print(model.engine(modality).name)
future = model.submit("image", "cat.jpg", priority=1)
vector: npt.NDArray[np.float32] = future.result()
for streamed in model.stream("audio", ["a.wav"]):
    print(streamed.vector)
scores = model.classify(labels=["a dog", "a car"], image=["cat.jpg"]).shape
among = model.zero_shot(["a dog", "a car"], templates=["a photo of {}"])
print(among(image="cat.jpg").topk(1), e.topk("image", "text"), e.similarity("image", "text").shape)
name: ModalityName = "depth"
bindrt.preprocess.imu(np.zeros((6, 2000)), rate=400, accel_unit="g")
bindrt.preprocess.image(pixels, exif=True)
bindrt.preprocess.audio(bindrt.Audio(waveform, rate=16000))
"""

#: Each line is wrong.
WRONG = """
model.embed(images=["cat.jpg"])
model.embed(image="cat.jpg", on_error="ignore")
model.embed(image="cat.jpg", normalise=True)
model.embed("cat.jpg")
model.embed(image=3)
model.embed(text=[1, 2])
model.embed(text=b"hello")
model.embed(audio=waveform)
model.embed(imu=[waveform])
model.embed(image=bindrt.Audio("a.wav"))
model.embed(image=bindrt.Image("a.jpg", layout="GRB"))
model.embed(image="cat.jpg").imgae
model.submit("picture", "cat.jpg")
model.submit("text", 3)
model.submit("image", bindrt.Audio("a.wav"))
model.submit("image", "a.jpg").result().shape.columns
model.stream("sound", ["a.wav"])
model.classify(labels=["a"], pictures=["cat.jpg"])
model.classify(labels=[1, 2], image="cat.jpg")
model.zero_shot(["a"])(picture="cat.jpg")
model.zero_shot(["a"])(image=3)
model.zero_shot([1, 2])
model.embed(image="a.jpg").similarity("image", 3)
model.engine("picture")
asyncio.run(model.aembed(pictures="a.jpg"))
bindrt.load("tiny", engine="onnx")
bindrt.load("tiny", precision="float16")
bindrt.load("tiny", startup="fast")
bindrt.load("tiny", modalities=["pictures"])
bindrt.load("tiny", threads="4")
bindrt.Depth("a.png", unit="cm")
bindrt.Imu("a.csv", accel_unit="G")
bindrt.preprocess.image(3)
bindrt.preprocess.thermal("a.png", low="20")
"""


def test_callers(tmp_path: Path) -> None:
    (tmp_path / "right.py").write_text(RIGHT)
    head = "import asyncio\nimport numpy as np\nimport bindrt\nmodel = bindrt.load('tiny')\n"
    head += "waveform = np.zeros(16000, np.float32)\n"
    (tmp_path / "wrong.py").write_text(head + WRONG)
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file=",
        "--no-error-summary",
        "--hide-error-context",
    ]
    package = Path(bindrt.__file__).parent.parent
    found = subprocess.run(
        [*command, "right.py", "wrong.py"],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(package)},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = (head + WRONG).splitlines()
    marked = {int(n) for n in re.findall(r"^wrong\.py:(\d+): error", found.stdout, re.MULTILINE)}
    missed = [line for n, line in enumerate(lines, 1) if line and n > head.count("\n") and n not in marked]
    assert not missed, found.stderr
    assert "right.py" not in found.stdout, found.stdout
