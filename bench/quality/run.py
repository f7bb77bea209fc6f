"""All scores of a bundle, as plain numbers by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import bindrt
from bench.quality import baselines, scenes, scores
from bindrt.embeddings import unit_rows

#: Pairs that training never showed: both sides are bound to images only. (IMU is bound to video, which is
#: the image encoder; text is trained with image and video.)
TRAINED_WITH = {
    frozenset(p)
    for p in (
        ("image", "text"),
        ("video", "text"),
        ("image", "audio"),
        ("image", "depth"),
        ("image", "thermal"),
        ("video", "imu"),
        ("image", "video"),
    )
}
PROMPTS = ("a {} {}", "a picture of a {} {}", "there is a {} {}", "the {} is {}")
SHOTS = (1, 2, 4, 8)
A_KIND = {"train": 40, "test": 20, "shifted": 20}


def emergent(a: str, b: str) -> bool:
    """Neither is an image, and the two were never shown together."""
    vision = {"image", "video"}
    return a not in vision and b not in vision


def measure(
    bundle: Path,
    work: Path,
    say: Callable[[str], None] = print,
    engine: str = "auto",
    precision: str | None = None,
) -> dict[str, Any]:
    """All scores, on unseen seeds and on unseen ranges of size, speed and distance."""
    with bindrt.load(bundle, engine=engine, precision=precision) as model:  # type: ignore[arg-type]
        result: dict[str, Any] = {
            "space": model.space,
            "precision": model.precision,
            "kinds": len(scenes.NAMES),
        }
        prompts = kind_prompts(model)
        for split in ("test", "shifted"):
            say(f"{split}: rendering and embedding")
            drawn = scenes.single_scenes(split, A_KIND[split])  # type: ignore[arg-type]
            paths = scenes.files(work / split, [scene for scene, _ in drawn])
            vectors = scenes.embed(model, paths)
            kinds = np.array([kind for _, kind in drawn])
            result[split] = {
                "pairs": pairs(vectors, kinds),
                "zero_shot": {m: asdict(scores.zero_shot(v, prompts, kinds)) for m, v in vectors.items()},
            }
            if split == "test":
                result["few_shot"] = few_shots(vectors, kinds, paths)
                result["supervised"] = supervised(model, vectors, kinds, work)
        say("composition")
        result["composition"] = composition(model, work)
    result["chance"] = {"class": 1 / len(scenes.NAMES), "recall": 1 / (A_KIND["test"] * len(scenes.NAMES))}
    return result


def kind_prompts(model: bindrt.Model) -> npt.NDArray[np.float32]:
    """One text vector for each kind: the mean over prompts with its names and doings."""
    rows = []
    for kind in scenes.KINDS.values():
        texts = [p.format(name, doing) for p in PROMPTS for name in kind.names for doing in kind.doings]
        rows.append(model.embed(text=texts)["text"].mean(axis=0))
    return unit_rows(np.array(rows, np.float32))


def pairs(vectors: dict[str, npt.NDArray[np.float32]], kinds: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
    """All ordered pairs of modalities."""
    return [
        {
            "query": a,
            "item": b,
            "emergent": emergent(a, b),
            "trained_together": frozenset((a, b)) in TRAINED_WITH,
            "recall_at_1": asdict(scores.recall_at_1(vectors[a], vectors[b])),
            "class_accuracy": asdict(scores.class_accuracy(vectors[a], vectors[b], kinds)),
        }
        for a in vectors
        for b in vectors
        if a != b
    ]


def few_shots(
    vectors: dict[str, npt.NDArray[np.float32]], kinds: npt.NDArray[np.int64], paths: list[dict[str, Path]]
) -> dict[str, Any]:
    """Linear probes on a few examples: on our vectors, and on plain features of the inputs."""
    found: dict[str, Any] = {}
    for modality, rows in vectors.items():
        if modality == "text":
            continue
        plain = baselines.features(modality, [p[modality] for p in paths])
        found[modality] = {
            str(shots): {
                "embedding": asdict(scores.few_shot(rows, kinds, shots)),
                "baseline": asdict(scores.few_shot(plain, kinds, shots)),
            }
            for shots in SHOTS
        }
        found[modality]["baseline_is"] = baselines.NAMES[modality]
    return found


def supervised(
    model: bindrt.Model, vectors: dict[str, npt.NDArray[np.float32]], kinds: npt.NDArray[np.int64], work: Path
) -> dict[str, Any]:
    """A bound: a linear probe that was shown 40 labelled training scenes of each kind."""
    drawn = [
        (scenes.sample(n + len(scenes.NAMES) * (5000 + i), (name,), "train"), n)
        for n, name in enumerate(scenes.NAMES)
        for i in range(A_KIND["train"])
    ]
    paths = scenes.files(work / "labelled", [scene for scene, _ in drawn])
    labelled = scenes.embed(model, paths)
    labels = np.array([kind for _, kind in drawn])
    return {m: asdict(scores.linear_probe(labelled[m], labels, v, kinds)) for m, v in vectors.items()}


def composition(model: bindrt.Model, work: Path) -> dict[str, Any]:
    """Image of one event + sound of another finds the image that has both, among all images of two.

    Each single event is drawn anew; the images searched show one scene of every two kinds.
    """
    both = scenes.pair_scenes()
    items = scenes.embed(model, scenes.files(work / "pairs", [s for s, _, _ in both]), ("image",))["image"]
    singles = scenes.single_scenes("test", A_KIND["test"])
    paths = scenes.files(work / "test", [scene for scene, _ in singles])
    vectors = scenes.embed(model, paths, ("image", "audio"))
    kinds = np.array([kind for _, kind in singles])
    rng = np.random.default_rng(0)
    right: dict[str, list[bool]] = {"image+audio": [], "image alone": [], "audio alone": []}
    for at, (_, a, b) in enumerate(both):
        for seen, heard in ((a, b), (b, a)):
            image = vectors["image"][rng.choice(np.flatnonzero(kinds == seen))]
            audio = vectors["audio"][rng.choice(np.flatnonzero(kinds == heard))]
            for name, query in (
                ("image+audio", image + audio),
                ("image alone", image),
                ("audio alone", audio),
            ):
                right[name].append(int((items @ query).argmax()) == at)
    return {
        "images": len(both),
        "chance": 1 / len(both),
        **{name: asdict(scores.Score.of(np.array(hits))) for name, hits in right.items()},
    }


def flat(found: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Every score with a name; larger is better."""
    for split in ("test", "shifted"):
        for pair in found[split]["pairs"]:
            for measure in ("recall_at_1", "class_accuracy"):
                yield f"{split} {measure} {pair['query']}→{pair['item']}", pair[measure]["value"]
        for modality, score in found[split]["zero_shot"].items():
            yield f"{split} zero-shot {modality}", score["value"]
    for modality, by_shots in found["few_shot"].items():
        for shots in SHOTS:
            yield f"few-shot {modality} {shots}", by_shots[str(shots)]["embedding"]["value"]
    yield "composition", found["composition"]["image+audio"]["value"]
