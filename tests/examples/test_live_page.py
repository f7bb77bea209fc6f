"""``--serve`` of the camera and the microphone example."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import camera
import live_prompts
import microphone
import pytest

from bindrt.watching import Page
from support.viewers import Viewer, ask
from tiny.world import sample, write_files


@pytest.mark.parametrize(
    ("example", "modality", "name", "shows"),
    [(camera, "video", "camera", "picture"), (microphone, "audio", "microphone", "sound")],
)
def test_a_page_shows_what_is_found(
    example: Any, modality: str, name: str, shows: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    seen: list[dict[str, Any]] = []

    class Watched(Page):
        """A page that somebody looks at before it is closed."""

        def close(self) -> None:
            with Viewer(self.url) as viewer:
                seen.append(next(viewer.messages()))
            assert ask(self.url, "/picture/0")[0] == 200
            super().close()

    monkeypatch.setattr(live_prompts, "Page", Watched)
    path = write_files(sample(8_000_000, ("bell",), "test"), tmp_path, "bell")[modality]
    words = [str(path), "--prompt", "a bell ringing", "--prompt", "a car driving", "--fast", "--hop", "0.2"]
    assert example.main([*words, "--serve"]) == 0
    assert "watch at http://127.0.0.1:" in capsys.readouterr().out
    (message,) = seen
    (card,) = message["streams"]
    assert (message["title"], card["name"], card["shows"]) == (path.name, name, shows)
    assert card["names"] == ["a bell ringing", "a car driving"]
    assert card["scores"][0] > card["scores"][1]
    assert "a bell ringing" in {event[1] for event in message["events"]}
