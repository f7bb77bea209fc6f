"""How many rows an encoder takes at once with profit, on a CPU and on a GPU."""

from __future__ import annotations

#: Past this many rows a batch on a CPU gains no speed and only holds memory.
CPU_BATCH = {"vision": 8, "text": 64}
DEFAULT_CPU_BATCH = 16
#: Rows that fill a GPU.
GPU_BATCH = 32
#: The most rows that a plan is built for.
PLAN_BATCH = {"text": 64}
DEFAULT_PLAN_BATCH = GPU_BATCH


def cpu_batch(encoder: str) -> int:
    return CPU_BATCH.get(encoder, DEFAULT_CPU_BATCH)


def plan_batch(encoder: str) -> int:
    return PLAN_BATCH.get(encoder, DEFAULT_PLAN_BATCH)
