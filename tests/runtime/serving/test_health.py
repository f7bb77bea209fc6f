"""When a server says that it is ready, and how it ends."""

from __future__ import annotations

import argparse
import asyncio
import gc
import socket
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import bindrt
from bindrt.commands import serve as command
from support.engines import GatedEngine
from support.serving import Running, counts, gated, running, wait_for


def test_ready_only_when_warm_and_open() -> None:
    with bindrt.load("tiny", engine="onnxruntime", modalities=["text"]) as own:
        engine = GatedEngine(own.engine("text"))
        engine.gate.clear()
        model = bindrt.load("tiny", modalities=["text"], engines={"text": engine})
        with running(model, warm=False) as server:
            assert server.ask("GET", "/live").status == 200
            cold = server.ask("GET", "/ready")
            assert (cold.status, cold.json["ready"]) == (503, False)
            assert server.ask("GET", "/.well-known/ready").status == 503
            engine.gate.set()
            wait_for(server.is_ready)
            model.close()
            closed = server.ask("GET", "/ready")
            assert (closed.status, closed.json["problem"]) == (503, "tiny is closed")
            answer = server.post("/v1/embeddings", {"input": "a"})
            assert (answer.status, answer.headers["retry-after"]) == (503, "1")
            assert server.ask("GET", "/live").status == 200


def test_ready_says_no_while_an_engine_does_not_go_on(pool: ThreadPoolExecutor) -> None:
    with gated() as (server, engine, model):
        assert server.post("/v1/embeddings", {"input": "a bell"}).status == 200
        engine.gate.clear()
        engine.entered.clear()
        asked = pool.submit(server.post, "/v1/embeddings", {"input": "a bell"})
        assert engine.entered.wait(60)
        assert (counts(model)["rows_in_engine"], counts(model)["device_lost"]) == (1, 0)
        wait_for(lambda: not server.is_ready())
        assert server.ask("GET", "/ready").json["problem"] == "tiny: the engine of text does not go on"
        assert server.ask("GET", "/live").status == 200
        engine.gate.set()
        assert asked.result().status == 200
        wait_for(server.is_ready)


def test_what_was_asked_before_the_end_is_answered(pool: ThreadPoolExecutor) -> None:
    with gated() as (server, engine, model):
        engine.gate.clear()
        asked = pool.submit(server.post, "/v1/embeddings", {"input": "a bell"})
        assert engine.entered.wait(60)
        server.server.end()
        wait_for(lambda: not accepts(server))
        engine.gate.set()
        answer = asked.result()
        assert answer.status == 200
        assert len(answer.json["data"][0]["embedding"]) == model.embed_dim


def accepts(server: Running) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10):
            return True
    except ConnectionRefusedError:
        return False


def test_who_waits_longer_than_the_end_is_told(pool: ThreadPoolExecutor) -> None:
    with bindrt.load("tiny", engine="onnxruntime", modalities=["text"]) as own:
        engine = GatedEngine(own.engine("text"))
        with bindrt.load("tiny", modalities=["text"], engines={"text": engine}) as model:
            with running(model, drain=0.1) as server:
                engine.gate.clear()
                engine.entered.clear()
                asked = pool.submit(server.post, "/v1/embeddings", {"input": "a bell"})
                assert engine.entered.wait(60)
            engine.gate.set()
            answer = asked.result()
            assert (answer.status, answer.headers["retry-after"]) == (503, "1")
            assert answer.json["error"]["message"] == "the server ends"


def test_the_command_keeps_what_it_loaded_from_the_collector() -> None:
    """Before it is ready, and once: a full collection would hold all requests up."""
    from bindrt.serving.health import Health

    health, kept_counts = Health({}), []
    server: Any = SimpleNamespace(health=health, run=lambda listeners: None, ended_by=None)
    with socket.socket() as listener:
        command._serve(server, listener, argparse.Namespace(no_access_log=True, traces=False))
    keep = health.on_warm

    def kept() -> None:
        assert health.problem() == "the models are being loaded"
        keep()
        kept_counts.append(gc.get_freeze_count())

    health.on_warm = kept
    try:
        asyncio.run(health.warm_up())
        asyncio.run(health.warm_up())
        assert health.problem() == ""
        assert len(kept_counts) == 1
        assert kept_counts[0] > 10_000
    finally:
        gc.unfreeze()
