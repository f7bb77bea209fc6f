"""Each data set's layout is read, and its scores are those that plain loops find."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import bindrt
from bindrt.evaluation.datasets import DATASETS, find
from bindrt.evaluation.datasets.llvip import others
from bindrt.evaluation.run import read
from bindrt.evaluation.sets import Labelled, Pairs
from support.datasets import MAKERS, Made, by_hand, sights

from .conftest import TEMPLATES, Copies, judged, scores_of

TOP1 = ("esc50", "vggsound", "sun-rgbd", "nyu-depth", "imagenet", "kinetics400", "places365")


def top1(model: bindrt.Model, made: Made) -> float:
    return by_hand.top1(made, by_hand.nearness(model, made, TEMPLATES))


def test_each_has_a_maker() -> None:
    assert set(MAKERS) == set(DATASETS)


@pytest.mark.parametrize("name", TOP1)
def test_top1(name: str, model: bindrt.Model, copies: Copies) -> None:
    made = copies(name)
    found = scores_of(judged(model, name, made.path))
    assert found == {"top-1": pytest.approx(top1(model, made), abs=1e-9)}


@pytest.mark.parametrize(
    "name", ["esc50", "vggsound", "sun-rgbd", "nyu-depth", "places365", "msrvtt", "clotho"]
)
def test_items_and_their_truth_in_the_order_of_the_lists(name: str, copies: Copies) -> None:
    made = copies(name)
    content, left_out = read(find(name), made.path)
    assert left_out == 0
    if isinstance(content, Pairs):
        assert [q.source for q in content.queries] == [text for texts in made.truth for text in texts]
        return
    names = {choice.name: choice.texts for choice in content.classes}
    assert {n.replace("_", " "): t for n, t in names.items()} == {
        n.replace("_", " "): t for n, t in made.classes.items()
    }
    said = [content.classes[min(truth)].name.replace("_", " ") for truth in content.truth]
    assert said == [truth[0].replace("_", " ") for truth in made.truth]


def test_audioset_by_mean_average_precision(model: bindrt.Model, copies: Copies) -> None:
    made = copies("audioset")
    report, near = judged(model, "audioset", made.path), by_hand.nearness(model, made, TEMPLATES)
    assert scores_of(report) == {
        "mAP": pytest.approx(by_hand.mean_average_precision(made, near), abs=1e-9),
        "top-1": pytest.approx(by_hand.top1(made, near), abs=1e-9),
    }
    assert report.found[0].scores[0].published == 17.6
    assert report.found[0].confusion is None  # a clip of two classes is in no one row


@pytest.mark.parametrize("name", ["clotho", "audiocaps"])
def test_texts_that_find_sounds(name: str, model: bindrt.Model, copies: Copies) -> None:
    made = copies(name)
    ranks = by_hand.ranks(model, made)
    expected = {f"R@{k}": pytest.approx(by_hand.recall(ranks, k), abs=1e-9) for k in (1, 5, 10)}
    assert scores_of(judged(model, name, made.path)) == expected


def test_texts_that_find_films(model: bindrt.Model, copies: Copies) -> None:
    made = copies("msrvtt")
    found = scores_of(judged(model, "msrvtt", made.path))
    for name, seen, heard in (("video", 1, 0), ("0.5 video + 0.5 audio", 0.5, 0.5), ("audio", 0, 1)):
        ranks = by_hand.ranks(model, made, seen, heard)
        for k in (1, 5):
            assert found[f"R@{k} {name}"] == pytest.approx(by_hand.recall(ranks, k), abs=1e-9)


def test_thermal_boxes(model: bindrt.Model, copies: Copies) -> None:
    made = copies("llvip")
    content, _ = read(find("llvip"), made.path)
    assert isinstance(content, Labelled)
    kinds = [content.classes[min(truth)].name for truth in content.truth]
    assert kinds.count("person") == len(made.items)
    drawn = [entry for entry, kind in zip(content.entries, kinds, strict=True) if kind == "background"]
    persons = {e.source: e.part for e, kind in zip(content.entries, kinds, strict=True) if kind == "person"}
    for entry in drawn:
        (x, t, r, b), (pl, pt, pr, pb) = entry.part, persons[entry.source]
        assert (r - x, b - t) == (pr - pl, pb - pt)
        assert r <= pl or pr <= x or b <= pt or pb <= t
    assert drawn
    for entry in drawn:
        with PIL.Image.open(entry.source) as picture:
            box = tuple(map(int, entry.part))
            made.items.append(bindrt.Thermal(np.asarray(picture.convert("L").crop(box))))  # type: ignore[arg-type]
        made.truth.append(("background",))
    found = scores_of(judged(model, "llvip", made.path))
    assert found == {"top-1": pytest.approx(top1(model, made), abs=1e-9)}


def test_no_box_where_there_is_no_room() -> None:
    assert list(others([(0, 0, 10, 10)], (12, 10), "full")) == []


def test_motions_around_narrations(model: bindrt.Model, copies: Copies) -> None:
    made = copies("ego4d")
    content, _ = read(find("ego4d"), made.path)
    assert isinstance(content, Labelled)
    assert len(content.training) + len(content.entries) == len(made.items)
    assert not set(content.training) & set(content.entries)
    every = [*content.training, *content.entries]
    order = {(entry.source, entry.part): at for at, entry in enumerate(sorted(every, key=lambda e: e.name))}
    rows = [order[entry.source, entry.part] for entry in content.entries]
    chosen = type(made)(
        made.path,
        made.modality,
        [made.items[row] for row in rows],
        [made.truth[row] for row in rows],
        made.victim,
        made.classes,
    )
    found = scores_of(judged(model, "ego4d", made.path))
    assert found == {"top-1": pytest.approx(top1(model, chosen), abs=1e-9)}


def test_imagenet_as_kaggle_has_it(model: bindrt.Model, tmp_path: Path) -> None:
    made = sights.imagenet_of_kaggle(tmp_path)
    found = scores_of(judged(model, "imagenet", made.path))
    assert found == {"top-1": pytest.approx(top1(model, made), abs=1e-9)}


@pytest.mark.parametrize("name", MAKERS)
def test_a_copy_that_is_not_complete_is_told(name: str, copies: Copies, tmp_path: Path) -> None:
    made, dataset = copies(name), find(name)
    half = tmp_path / "half"
    shutil.copytree(made.path, half)
    victim = half / made.victim.relative_to(made.path)
    shutil.rmtree(victim) if victim.is_dir() else victim.unlink()
    with pytest.raises(bindrt.SourceError) as told:
        read(dataset, half)
    assert victim.stem.split("_")[0] in str(told.value) or victim.parent.parent.name in str(told.value)
    assert "files are missing" in told.value.problem
    assert dataset.where in told.value.remedy
    assert "--partial" in told.value.remedy
    _, left_out = read(dataset, half, partial=True)
    assert left_out == 1


@pytest.mark.parametrize("name", MAKERS)
def test_an_empty_folder_is_told(name: str, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(bindrt.SourceError) as told:
            read(find(name), folder)
        assert find(name).where in told.value.remedy
