"""``infinity-emb`` beside ``bind-serve``: the same requests, a model of the same size, one after the other.

infinity has an environment of its own, several GB with its torch, which the first run makes.
"""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import bindrt
from bench.kernels.environments import Environment, install
from bench.paths import ROOT
from bench.serve.items import head
from bench.serve.percentiles import percentiles
from bench.serve.server import HOST, Server, free_port, load, running, serving
from bindrt.benchmark.arrivals import poisson

INFINITY = Environment("infinity", ("infinity-emb[torch,server,vision]==0.0.78", "aiohttp"))
#: What it serves; it names no sounds of bind-tiny's kind.
MODALITIES = ("image", "text")
NAMES = ("bind-serve", "infinity")


def requests_of(of: dict[str, list[Any]]) -> dict[str, bytes]:
    """One item a request, in OpenAI's protocol, which both speak."""
    found = {}
    for modality in MODALITIES:
        item = of[modality][0]
        body = {"model": "tiny", "input": item, "encoding_format": "base64"}
        if modality != "text":
            uri = "data:image/jpeg;base64," + base64.b64encode(item).decode()
            body |= {"input": uri, "modality": modality}
        text = json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(text))}
        found[modality] = head("/v1/embeddings", HOST, headers) + text
    return found


def beside_infinity(
    of: dict[str, list[Any]], modalities: Sequence[str], rounds: int, seconds: float, folder: Path
) -> dict[str, Any]:
    """Requests a second that each server holds, and latencies of both at half of what the slower one holds.

    Raises:
        SystemExit: infinity cannot be installed or started.
    """
    if problem := install(INFINITY, lambda text: print(text, flush=True)):
        raise SystemExit(f"infinity-emb cannot be installed: {problem}")
    model = _made(folder)
    port = free_port()
    command = [
        str(INFINITY.folder / "bin" / "infinity_emb"), "v2", "--model-id", str(model), "--served-model-name",
        "tiny", "--host", HOST, "--port", str(port), "--url-prefix", "/v1", "--engine", "torch", "--device",
        "cpu", "--no-bettertransformer", "--log-level", "warning",
    ]  # fmt: skip
    sent = {m: request for m, request in requests_of(of).items() if m in modalities}
    with (
        serving("tiny", ["--no-access-log"]) as ours,
        running(command, port, "/v1/models", env={"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1"}) as theirs,
    ):
        servers = dict(zip(NAMES, (ours, theirs), strict=True))
        return {m: _one(servers, m, request, rounds, seconds, folder) for m, request in sent.items()}


def _one(
    servers: dict[str, Server], modality: str, sent: bytes, rounds: int, seconds: float, folder: Path
) -> dict[str, Any]:
    most: dict[str, list[float]] = {name: [] for name in servers}
    for _ in range(rounds):
        for name, server in servers.items():
            found = load(server, sent, folder, mode="closed", connections=16, seconds=seconds)
            most[name].append(found["requests"] / found["seconds"])
    rate = min(float(np.median(each)) for each in most.values()) / 2
    times: dict[str, list[float]] = {name: [] for name in servers}
    for seed in range(rounds):
        due = [arrival.at for arrival in poisson(rate, max(100, int(rate * seconds)), [modality], seed)]
        for name, server in servers.items():
            times[name] += load(server, sent, folder, mode="open", connections=64, times=due)["latencies"]
    found = {name: {"most": float(np.median(most[name])), **percentiles(times[name])} for name in servers}
    return {"rate": rate, **found}


def _made(folder: Path) -> Path:
    model, words = folder / "clip", folder / "tokenizer.json"
    with bindrt.load("tiny") as tiny:
        words.write_bytes(gzip.decompress((tiny.bundle.path / "clip_tokenizer.json.gz").read_bytes()))
    command = [str(INFINITY.python), "-m", "bench.serve.infinity_model", str(model), str(words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"infinity's model cannot be made: {done.stderr[-1000:]}")
    return model


def report(found: dict[str, Any]) -> None:
    for modality, each in found.items():
        for name in NAMES:
            one = each[name]
            print(
                f"{modality:<6} {name:<10} {one['most']:,.0f} requests/s; at {each['rate']:,.0f}/s "
                f"p50 {one['p50']:.1f} ms, p99 {one['p99']:.1f} ms"
            )
