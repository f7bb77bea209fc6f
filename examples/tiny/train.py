"""Trains bind-tiny: ``python examples/tiny/train.py``; goes on where it was broken off.

1. Image and text together, symmetric InfoNCE with a learned temperature; half of the pictures are
   the first and last frame of a video.
2. Both frozen. Audio, depth and thermal are each pulled to the *image* of their scene, IMU to its
   *video*. No two modalities other than image are ever shown together.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # for `tiny`, also as a script

from bindrt_export.architecture import Encoder
from tiny.data import ARRAYS, CAPTIONS, CHUNK, Data, prepare
from tiny.fast import embed
from tiny.model import CONFIG, new_encoder, save_checkpoint
from tiny.plot import loss_plot
from tiny.start import start_stem

ROOT = Path(__file__).resolve().parent.parent.parent
SCENES = 7800
SEED = 20
SAVE_EVERY = 100  # steps
WARM_UP = 100  # steps
MAX_SCALE = 100.0
EXAMPLES = 96  # scenes that the stems' start is computed from


class Stage:
    """One training run: encoders that learn, a temperature, an optimiser; saved and resumed."""

    def __init__(self, name: str, encoders: dict[str, Encoder], steps: int, batch: int, rate: float) -> None:
        self.name, self.encoders, self.steps, self.batch, self.rate = name, encoders, steps, batch, rate
        self.log_scale = torch.nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        decayed, plain = [], [self.log_scale]
        for encoder in encoders.values():
            for parameter in encoder.parameters():
                (decayed if parameter.dim() >= 2 else plain).append(parameter)
        groups = [{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98))
        self.step = 0
        self.losses: list[float] = []
        self.seconds = 0.0

    def run(
        self, folder: Path, loss_of: Callable[[np.ndarray, float], Tensor], pool: np.ndarray, bar: Progress
    ) -> None:
        """Trains to the end; ``loss_of(scene numbers, share of patches to look at)``."""
        path = folder / f"{self.name}.pt"
        if path.exists():
            self.load(path)
        task = bar.add_task(self.name, total=self.steps, completed=self.step, loss="")
        while self.step < self.steps:
            begin = time.monotonic()
            torch.manual_seed(SEED * 1_000_003 + self.step)
            rng = np.random.default_rng([SEED, self.step, len(self.name)])
            picked = np.sort(rng.choice(pool, min(self.batch, len(pool)), replace=False))
            for group in self.optimiser.param_groups:
                group["lr"] = self.rate * schedule(self.step, self.steps)
            loss = loss_of(picked, patch_share(self.step, self.steps))
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_([p for g in self.optimiser.param_groups for p in g["params"]], 1.0)
            self.optimiser.step()
            with torch.no_grad():
                self.log_scale.clamp_(0.0, math.log(MAX_SCALE))
            self.losses.append(loss.item())
            self.seconds += time.monotonic() - begin
            self.step += 1
            recent = sum(self.losses[-50:]) / len(self.losses[-50:])
            bar.update(task, completed=self.step, loss=f"loss {recent:.3f}")
            if self.step % SAVE_EVERY == 0 or self.step == self.steps:
                self.save(path)

    def contrast(self, a: Tensor, b: Tensor) -> Tensor:
        """Symmetric InfoNCE of matching rows of unit vectors."""
        logits = self.log_scale.exp() * a @ b.T
        target = torch.arange(len(a))
        return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2

    def save(self, path: Path) -> None:
        state = {
            "encoders": {n: e.state_dict() for n, e in self.encoders.items()},
            "log_scale": self.log_scale.data,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "losses": self.losses,
            "seconds": self.seconds,
        }
        torch.save(state, path.with_suffix(".part"))
        os.replace(path.with_suffix(".part"), path)

    def load(self, path: Path) -> None:
        state = torch.load(path, weights_only=True)
        for name, encoder in self.encoders.items():
            encoder.load_state_dict(state["encoders"][name])
        self.log_scale.data.copy_(state["log_scale"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.losses, self.seconds = state["step"], state["losses"], state["seconds"]


def schedule(step: int, steps: int) -> float:
    """Linear warm-up, then half a cosine down to a fiftieth."""
    if step < WARM_UP:
        return (step + 1) / WARM_UP
    done = (step - WARM_UP) / max(steps - WARM_UP, 1)
    return 0.02 + 0.98 * (1 + math.cos(math.pi * done)) / 2


def patch_share(step: int, steps: int) -> float:
    """Most of training looks at 30 % of the patches; the last twentieth at all of them."""
    return 0.3 if step < 0.95 * steps else 1.0


def tensor(data: Data, name: str, rows: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(data.arrays[name][rows]))


def seen(data: Data, rows: np.ndarray, as_video: np.ndarray) -> Tensor:
    """Pixels ``[B, 3, 2, 224, 224]``: a still picture twice, or a video's first and last frame."""
    first = data.arrays["picture"][rows]
    last = first.copy()
    first[as_video] = data.arrays["first"][rows[as_video]]
    last[as_video] = data.arrays["last"][rows[as_video]]
    return torch.from_numpy(np.stack([first, last], axis=1)).permute(0, 4, 1, 2, 3)


def image_and_text(data: Data, folder: Path, steps: int, bar: Progress) -> Stage:
    torch.manual_seed(SEED)
    stage = Stage("image-text", {n: new_encoder(n) for n in ("vision", "text")}, steps, 96, 1.5e-3)
    shown = np.arange(min(EXAMPLES, len(data)))
    start_stem(stage.encoders["vision"], seen(data, shown, shown % 2 == 0))

    def loss_of(rows: np.ndarray, keep: float) -> Tensor:
        as_video = np.random.default_rng([SEED, stage.step, 77]).random(len(rows)) < 0.5
        which = np.random.default_rng([SEED, stage.step, 78]).integers(CAPTIONS, size=len(rows))
        ids = torch.from_numpy(data.arrays["text"][rows, which].astype(np.int64))
        ids = ids[:, : int(ids.argmax(dim=1).max()) + 1]
        pictures = embed(stage.encoders["vision"], seen(data, rows, as_video), keep)
        return stage.contrast(pictures, embed(stage.encoders["text"], ids))

    stage.run(folder, loss_of, np.arange(len(data)), bar)
    return stage


def targets(data: Data, vision: Encoder, folder: Path, bar: Progress) -> tuple[Tensor, Tensor]:
    """The frozen image and video embeddings of every scene."""
    path = folder / "targets.pt"
    if path.exists():
        found = torch.load(path, weights_only=True)
        return found["picture"], found["video"]
    rows = np.array_split(np.arange(len(data)), math.ceil(len(data) / 64))
    task = bar.add_task("image embeddings", total=len(rows), loss="")
    pictures, videos = [], []
    with torch.inference_mode():
        for part in rows:
            for out, as_video in ((pictures, False), (videos, True)):
                out.append(embed(vision, seen(data, part, np.full(len(part), as_video))))
            bar.advance(task)
    found = {"picture": torch.cat(pictures), "video": torch.cat(videos)}
    torch.save(found, path)
    return found["picture"].clone(), found["video"].clone()


def bind(data: Data, name: str, target: Tensor, folder: Path, steps: int, bar: Progress) -> Stage:
    """One more modality, pulled to frozen image embeddings."""
    torch.manual_seed(SEED)
    stage = Stage(name, {name: new_encoder(name)}, steps, 128, 1.5e-3)
    start_stem(stage.encoders[name], tensor(data, name, np.arange(min(EXAMPLES, len(data)))).float())
    # A sensor rides on one thing: scenes of two say nothing of which.
    pool = np.flatnonzero(data.kinds[:, 1] < 0) if name == "imu" else np.arange(len(data))

    def loss_of(rows: np.ndarray, keep: float) -> Tensor:
        inputs = tensor(data, name, rows).float()
        return stage.contrast(embed(stage.encoders[name], inputs, keep), target[rows])

    stage.run(folder, loss_of, pool, bar)
    return stage


def progress() -> Progress:
    return Progress(
        TextColumn("{task.description:>16}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[loss]}"),
    )


def counted(bar: Progress, count: int) -> Iterator[None]:
    task = bar.add_task("scenes", total=count, loss="")
    while True:
        bar.advance(task, CHUNK)
        yield


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=SCENES)
    parser.add_argument("--steps", type=int, nargs=2, default=(900, 600), metavar=("IMAGE_TEXT", "OTHERS"))
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "tiny", help="data, states")
    parser.add_argument("--output", type=Path, default=ROOT / "examples" / "tiny" / "weights")
    parser.add_argument("--threads", type=int, default=0, help="default: torch's")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(SEED)
    with progress() as bar:
        data = prepare(args.work / "data", args.scenes, counted(bar, args.scenes))
        first = image_and_text(data, args.work, args.steps[0], bar)
        vision = first.encoders["vision"].requires_grad_(False)
        picture, video = targets(data, vision, args.work, bar)
        stages = [first]
        for name in ("audio", "depth", "thermal", "imu"):
            target = video if name == "imu" else picture
            stages.append(bind(data, name, target, args.work, args.steps[1], bar))
    finish(args.output, data, stages)
    return 0


def finish(output: Path, data: Data, stages: list[Stage]) -> None:
    """Writes weights, config, loss plot and the facts of the run."""
    output.mkdir(parents=True, exist_ok=True)
    used = torch.zeros(49_408, dtype=torch.bool)
    used[torch.from_numpy(np.unique(data.arrays["text"][:]).astype(np.int64))] = True
    encoders = {name: encoder for stage in stages for name, encoder in stage.encoders.items()}
    scale = float(stages[0].log_scale.exp())
    save_checkpoint(output / "bind_tiny.safetensors", encoders, scale, used)
    (output / "config.json").write_text(json.dumps(CONFIG, indent=1) + "\n")
    facts = {
        "scenes": len(data),
        "arrays": sorted(ARRAYS),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "words_seen": int(used.sum()),
        "stages": [
            {
                "name": s.name,
                "steps": s.step,
                "batch": s.batch,
                "rate": s.rate,
                "seconds": round(s.seconds),
                "last_loss": round(sum(s.losses[-50:]) / 50, 4),
                "temperature": round(1 / float(s.log_scale.exp()), 4),
            }
            for s in stages
        ],
    }
    (output / "training.json").write_text(json.dumps(facts, indent=1) + "\n")
    (output / "loss.svg").write_text(loss_plot({s.name: s.losses for s in stages}))
    print(json.dumps(facts, indent=1))


if __name__ == "__main__":
    sys.exit(main())
