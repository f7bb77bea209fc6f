"""An engine on a GPU, used twice at once: who waits for vectors of ``run`` stops nobody who queues work."""

from __future__ import annotations

#: Prints whether ``enqueue`` returns while ``run`` waits; ``engine`` of the imu encoder is there.
BESIDE = """
import json, threading
import numpy as np
from bindrt import _core
class Slow:
    def __init__(self, real):
        self.real, self.waits, self.goes = real, threading.Event(), threading.Event()
    def __getattr__(self, name):
        return getattr(self.real, name)
    def __enter__(self):
        self.real.__enter__()
        return self
    def __exit__(self, *args):
        return self.real.__exit__(*args)
    def download(self, target, source):
        self.waits.set()
        assert self.goes.wait(100)
        self.real.download(target, source)
inputs = np.ones((1, 6, 2000), np.float32)
width = model.embed(imu=bindrt.Imu(np.ones((6, 1000), np.float32), rate=200)).imu.shape[1]
engine._queue = slow = Slow(engine._queue)
out, queued = np.empty((1, width), np.float32), threading.Event()
running = threading.Thread(target=engine.run, args=(inputs, out))
running.start()
assert slow.waits.wait(100)
other = _core.gpu.Queue(0)
rows = np.empty_like(out)
def queue():
    with other:
        source, target = other.take(inputs.nbytes), other.take(rows.nbytes)
        other.upload(source, inputs)
        engine.enqueue(inputs.shape, source, target, other.stream)
        queued.set()
        other.download(rows, target)
queueing = threading.Thread(target=queue)
queueing.start()
good = queued.wait(30)
slow.goes.set()
running.join(100)
queueing.join(100)
print(json.dumps([good, bool((rows == out).all())]))
"""
