"""One way, one encoder, in this process: ``python -m bench.engines.worker``.

Reads the request from the standard input: way, encoder, batches, rounds, seconds, bundle, checkpoint, naive
(a graph), engine and precision (of bindrt's ways). Replies with the seconds of each run by batch, the vectors
of the largest batch, and the engine and precision that bindrt took.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

import bindrt
from bench.engines.inputs import inputs_of
from bench.engines.peers import OPENERS, Call
from bindrt.benchmark.json_process import open_replies
from bindrt.benchmark.timing import seconds_of
from bindrt.extras import install
from bindrt.modalities import MODALITIES


def main() -> int:
    send = open_replies()
    request = json.loads(sys.stdin.readline())
    reply: dict[str, Any] = {"seconds": {}, "vectors": [], "chosen": ""}
    run = opened(request, reply) if request["engine"] else peer(request)
    for batch in request["batches"]:
        inputs = inputs_of(request, batch)
        reply["vectors"] = np.asarray(run(inputs), np.float32).tolist()
        reply["seconds"][str(batch)] = timed(run, inputs, request["rounds"], request["seconds"])
    send(reply)
    return 0


def peer(request: dict[str, Any]) -> Call:
    try:
        return OPENERS[request["way"]](request)
    except ModuleNotFoundError as error:
        raise SystemExit(f"{error.name} is not installed; {install('bench')}") from error


def timed(run: Call, inputs: np.ndarray, rounds: int, seconds: float) -> list[float]:
    """So many runs, or as many as fit into ``seconds``; at least one."""
    found: list[float] = []
    while len(found) < rounds and sum(found) < seconds:
        found.append(seconds_of(lambda: run(inputs)))
    return found


def opened(request: dict[str, Any], reply: dict[str, Any]) -> Call:
    """The engine that a user's ``bindrt.load`` has; closed with the process."""
    modality = next(name for name, m in MODALITIES.items() if m.encoder == request["encoder"])
    model = bindrt.load(
        request["bundle"], engine=request["engine"], precision=request["precision"], modalities=[modality]
    )
    engine = model.engine(modality)
    reply["chosen"] = f"{engine.name} {engine.precision}"

    def run(inputs: np.ndarray) -> np.ndarray:
        out = np.empty((len(inputs), model.embed_dim), np.float32)
        engine.run(inputs, out)
        return out

    return run


if __name__ == "__main__":
    sys.exit(main())
