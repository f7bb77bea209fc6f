"""The monitor, fed window by window, tells what a plain reference finds in the whole list of scores."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import bindrt
from bindrt.monitoring.track import Rule

#: Scores that are no threshold themselves, so that rounding decides nothing.
SCORES = (0.05, 0.15, 0.25, 0.35, 0.45)
THRESHOLDS = (0.1, 0.2, 0.3, 0.4)
PROMPTS = 2


@dataclass(frozen=True)
class Case:
    """Windows with their scores for each prompt, and when what is an event."""

    times: list[tuple[float, float]]
    scores: list[tuple[float, ...]]
    rule: Rule
    gap: float


@st.composite
def cases(draw: st.DrawFn) -> Case:
    low, high = sorted(draw(st.tuples(st.sampled_from(THRESHOLDS), st.sampled_from(THRESHOLDS))))
    rule = Rule(
        high, low, draw(st.sampled_from([0.0, 0.3, 0.8, 2.1])), draw(st.sampled_from([0.0, 0.7, 3.3]))
    )
    length = draw(st.sampled_from([0.0, 0.5, 2.0]))
    steps = draw(st.lists(st.sampled_from([0.25, 0.5, 0.5, 1.0, 3.0]), max_size=40))
    starts = np.cumsum([10.0, *steps]).tolist()
    scores = draw(
        st.lists(st.tuples(*[st.sampled_from(SCORES)] * PROMPTS), min_size=len(starts), max_size=len(starts))
    )
    return Case([(s, s + length) for s in starts], scores, rule, draw(st.sampled_from([0.0, 0.6, 5.0])))


def reference(case: Case, prompt: int) -> list[tuple[float, float, float, list[float]]]:
    """Start, end and score of each event, and where it may have its peak, from all windows at once."""
    found: list[tuple[float, float, float, list[float]]] = []
    rests = -np.inf
    for piece in pieces(case):
        middles = [sum(case.times[i]) / 2 for i in piece]
        borders = [case.times[piece[0]][0]]
        borders += [(a + b) / 2 for a, b in pairwise(middles)]
        borders += [case.times[piece[-1]][1]]
        scores = [case.scores[i][prompt] for i in piece]
        at = 0
        while at < len(piece):
            if scores[at] < case.rule.on or borders[at] < rests - 1e-6:
                at += 1
                continue
            stop = next((j for j in range(at, len(piece)) if scores[j] < case.rule.off), len(piece))
            if borders[stop] - borders[at] >= case.rule.hold - 1e-6:
                best = max(scores[at:stop])
                peaks = [middles[j] for j in range(at, stop) if scores[j] == best]
                found.append((borders[at], borders[stop], best, peaks))
                rests = borders[stop] + case.rule.cooldown
            at = stop
    return found


def pieces(case: Case) -> list[list[int]]:
    """Windows without a pause between them, by their numbers."""
    found = [[0]]
    for i in range(1, len(case.times)):
        if case.times[i][0] - case.times[i - 1][1] > case.gap:
            found.append([])
        found[-1].append(i)
    return found


@pytest.fixture(scope="module")
def model() -> SimpleNamespace:
    """As much of a model as a monitor of vectors asks for."""
    manifest = SimpleNamespace(text_scale=1.0)
    return SimpleNamespace(embed_dim=PROMPTS + 1, bundle=SimpleNamespace(manifest=manifest))


@settings(deadline=None, max_examples=300)
@given(cases())
@example(Case([(0.0, 1.0)], [(0.45, 0.05)], Rule(0.4, 0.3, 0.8, 0.0), 1.0))
def test_as_the_reference(model: SimpleNamespace, case: Case) -> None:
    prompts = {str(p): np.eye(PROMPTS + 1)[p] for p in range(PROMPTS)}
    rule, begun = case.rule, []
    monitor = bindrt.Monitor(
        model, prompts, on=rule.on, off=rule.off, hold=rule.hold, cooldown=rule.cooldown, gap=case.gap,
        on_begin=begun.append,
    )  # type: ignore[arg-type]  # fmt: skip
    windows = [
        SimpleNamespace(vector=np.array([*s, np.sqrt(1 - sum(x * x for x in s))]), start=a, end=b)
        for (a, b), s in zip(case.times, case.scores, strict=True)
    ]
    events = list(monitor.watch(windows))
    for prompt in range(PROMPTS):
        told = [event for event in events if event.name == str(prompt)]
        wanted = reference(case, prompt)
        assert len(told) == len(wanted)
        for event, (*numbers, peaks) in zip(told, wanted, strict=True):
            assert (event.start, event.end, event.score) == pytest.approx(tuple(numbers), abs=1e-5)
            assert any(abs(event.peak - peak) < 1e-9 for peak in peaks)
    assert monitor.active == []
    # What was told to begin has become an event, and was told once; its end was certain then.
    ends = {(e.name, e.start): e.end for e in events}
    assert len({(e.name, e.start) for e in begun}) == len(begun)
    for event in begun:
        assert event.end <= ends[event.name, event.start] + 1e-9
        assert event.end - event.start >= rule.hold - 1e-6
