"""``/metrics`` while encoders are loaded and unloaded, and when a model is closed."""

from __future__ import annotations

import threading

import pytest

import bindrt
from bindrt.serving import ServeOptions
from support.serving import running

parser = pytest.importorskip("prometheus_client.parser", reason="the extra serve is not installed")


def test_encoders_that_come_and_go() -> None:
    ended = threading.Event()

    def use(model: bindrt.Model) -> None:
        try:
            for at in range(20):
                model.submit("text", f"number {at}").result()
                model.unload("text")
        finally:
            ended.set()

    options = ServeOptions(access_log=False)
    with (
        bindrt.load("tiny", engine="onnxruntime", modalities=["text"]) as model,
        running(model, options) as server,
    ):
        user = threading.Thread(target=use, args=(model,))
        user.start()
        is_last = False
        while not is_last:
            is_last = ended.is_set()
            found = server.ask("GET", "/metrics")
            assert found.status == 200, found.body
            assert len(list(parser.text_string_to_metric_families(found.body.decode()))) > 10
        user.join()
        model.close()
        found = server.ask("GET", "/metrics")
        assert found.status == 200, found.body
        assert server.ask("GET", "/ready").status == 503
