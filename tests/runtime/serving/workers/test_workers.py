"""``bind-serve --workers``: what holds while workers are killed and when all end."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import psutil
import pytest

import bindrt
from support.serve_process import serving
from support.serving import PATIENCE, wait_for

TEXTS = [f"number {i}" for i in range(16)]


class Served(NamedTuple):
    """A server with two workers."""

    process: subprocess.Popen[str]
    port: int

    def get(self, path: str) -> tuple[int, str]:
        url = f"http://127.0.0.1:{self.port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def workers(self) -> list[psutil.Process]:
        """Those that run, in the order of their starts."""
        of = psutil.Process(self.process.pid).children()
        found = [each for each in of if any("spawn_main" in word for word in each.cmdline())]
        return sorted(found, key=psutil.Process.create_time)

    def has(self, line: str) -> bool:
        """Whether a line is in the metrics."""
        return line in self.metrics().splitlines()

    def all_are_there(self) -> bool:
        metrics = self.metrics()
        return all(f'in_flight{{worker="{number}"}}' in metrics for number in (0, 1))

    def metrics(self) -> str:
        """Those of all workers. They are told whatever happens to some of them."""
        status, text = self.get("/metrics")
        assert status == 200, text
        return text


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    log = tmp_path_factory.mktemp("log") / "log"
    with (
        log.open("w") as out,
        serving("tiny", "--workers", 2, engine="native", out=out) as (process, port),
    ):
        found = Served(process, port)
        wait_for(found.all_are_there)
        assert found.get("/ready")[0] == 200
        workers = found.workers()
        yield found
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        lines = [json.loads(line) for line in log.read_text().splitlines()]  # whole ones
        assert {line["status"] for line in lines} <= {200, 503}
        assert "Traceback" not in err
        assert not any(worker.is_running() for worker in workers)


@pytest.fixture(scope="module")
def expected() -> np.ndarray:
    with bindrt.load("tiny", engine="native", modalities=["text"]) as model:
        return model.embed(text=TEXTS).text


def test_weights_are_in_memory_once(served: Served) -> None:
    """A page that two processes have counts half in each one's PSS."""
    maps = [each for worker in served.workers() for each in worker.memory_maps()]
    weights = [each for each in maps if each.path.endswith(".packed")]
    assert len(weights) == 2 * len({each.path for each in weights}) > 0
    assert [each.anonymous for each in weights] == [0] * len(weights)  # no copies of pages
    assert sum(each.pss for each in weights) < 0.75 * sum(each.rss for each in weights)


def test_a_worker_that_is_killed_while_requests_run(served: Served, expected: np.ndarray) -> None:
    """Each request is answered, and rightly: the client asks again where a connection broke."""
    assert all(served.has(f'bindrt_worker_starts_total{{worker="{n}"}} 1.0') for n in (0, 1))
    ended, answered, wrong = threading.Event(), threading.Semaphore(0), []

    def ask(number: int) -> None:
        with bindrt.Client(f"http://127.0.0.1:{served.port}", retries=10, connections=1) as client:
            while not ended.is_set():
                try:
                    found = client.embed(text=TEXTS[number]).text[0]
                    if not np.allclose(found, expected[number], atol=1e-5):
                        wrong.append(f"{number}: another vector")
                except bindrt.Error as error:
                    wrong.append(f"{number}: {error}")
                answered.release()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(50):
            assert answered.acquire(timeout=PATIENCE)
        served.workers()[-1].kill()
        wait_for(lambda: any(served.has(f'bindrt_worker_starts_total{{worker="{n}"}} 2.0') for n in (0, 1)))
        wait_for(served.all_are_there)
        for _ in range(50):
            assert answered.acquire(timeout=PATIENCE)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert served.get("/ready")[0] == 200


@pytest.mark.deep
def test_all_are_killed_and_come_back(expected: np.ndarray) -> None:
    with serving("tiny", "--workers", 2, "--no-access-log", engine="native") as (process, port):
        served = Served(process, port)
        wait_for(served.all_are_there)
        for worker in served.workers():
            worker.kill()
        wait_for(lambda: served.get("/ready")[0] == 200)  # connections wait until there is a worker
        with bindrt.Client(f"http://127.0.0.1:{port}", retries=10) as client:
            assert np.allclose(client.embed(text=TEXTS).text, expected, atol=1e-5)


@pytest.mark.deep
def test_workers_end_when_the_supervisor_is_killed() -> None:
    with serving("tiny", "--workers", 2, "--no-access-log", engine="native") as (process, port):
        served = Served(process, port)
        wait_for(served.all_are_there)
        workers = served.workers()
        process.kill()
        assert psutil.wait_procs(workers, PATIENCE)[1] == []
