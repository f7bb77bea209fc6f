"""``/live``, ``/ready`` and ``/metrics``, for those who run a server."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bindrt.serving.health import Health
from bindrt.serving.replies import Json

#: Paths that need no key: whoever asks learns nothing else.
OPEN = ("/live", "/ready", "/.well-known/live", "/.well-known/ready", "/v2/health/live", "/v2/health/ready")


def routes(health: Health, metrics: Callable[[], bytes]) -> list[Route]:
    async def live(request: Request) -> Response:
        return Json({"live": True})

    async def ready(request: Request) -> Response:
        problem = health.problem()
        if problem:
            return Json({"ready": False, "problem": problem}, 503)
        return Json({"ready": True})

    async def all_metrics(request: Request) -> Response:
        return Response(metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return [
        Route("/live", live, methods=["GET"]),
        Route("/ready", ready, methods=["GET"]),
        Route("/metrics", all_metrics, methods=["GET"]),
    ]
