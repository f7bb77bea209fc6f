"""``/live``, ``/ready`` and ``/metrics``, for those who run a server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypedDict

from starlette.requests import Request
from starlette.responses import Response

from bindrt.serving.health import Health
from bindrt.serving.protocol import Endpoint, json_of
from bindrt.serving.replies import Json


class Live(TypedDict):
    live: bool


class _Ready(TypedDict):
    ready: bool


class Ready(_Ready, total=False):
    """Whether requests can be answered, and if not, why."""

    problem: str


def endpoints(health: Health, metrics: Callable[[], Awaitable[bytes]]) -> list[Endpoint]:
    async def live(request: Request) -> Response:
        return Json({"live": True})

    async def ready(request: Request) -> Response:
        problem = health.problem()
        if problem:
            return Json({"ready": False, "problem": problem}, 503)
        return Json({"ready": True})

    async def all_metrics(request: Request) -> Response:
        return Response(await metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")

    ready_answers = {200: json_of(Ready), 503: json_of(Ready)}
    text = {"text/plain": {"type": "string"}}
    return [
        Endpoint("GET", "/live", live, "Whether the process answers", {200: json_of(Live)}, needs_key=False),
        Endpoint("GET", "/ready", ready, "Whether the models answer", ready_answers, needs_key=False),
        Endpoint("GET", "/metrics", all_metrics, "Metrics for Prometheus", {200: text}),
    ]
