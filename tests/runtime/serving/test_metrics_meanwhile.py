"""``/metrics`` while encoders are loaded and unloaded, and when a model is closed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

import bindrt
from bindrt.serving import ServeOptions
from support.serving import running

parser = pytest.importorskip("prometheus_client.parser", reason="the extra serve is not installed")


def test_encoders_that_come_and_go() -> None:
    def use(model: bindrt.Model) -> None:
        for at in range(20):
            model.submit("text", f"number {at}").result(timeout=60)
            model.unload("text")

    options = ServeOptions(access_log=False)
    with (
        bindrt.load("tiny", engine="onnxruntime", modalities=["text"]) as model,
        running(model, options) as server,
        ThreadPoolExecutor(1) as pool,
    ):
        user = pool.submit(use, model)
        is_last = False
        while not is_last:
            is_last = user.done()
            found = server.ask("GET", "/metrics")
            assert found.status == 200, found.body
            assert len(list(parser.text_string_to_metric_families(found.body.decode()))) > 10
        user.result()  # it raises what went wrong there
        model.close()
        found = server.ask("GET", "/metrics")
        assert found.status == 200, found.body
        assert server.ask("GET", "/ready").status == 503
