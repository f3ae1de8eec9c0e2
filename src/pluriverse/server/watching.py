"""`/health` and `/metrics`: whether it serves, and how much, for whoever watches it.

Knows the counts of a house, as Prometheus reads them. Names nobody and repeats nothing that was asked.
"""

import time
from collections.abc import Iterator

from fastapi import APIRouter, Response

from .. import __version__
from .house import House


def router(house: House) -> APIRouter:
    routes = APIRouter()

    @routes.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok", "version": __version__}

    @routes.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        return Response("\n".join(_lines(house)) + "\n", media_type="text/plain; version=0.0.4; charset=utf-8")

    return routes


def _lines(house: House) -> Iterator[str]:
    counts = house.counts
    yield from _head("requests_total", "counter", "HTTP requests")
    for (method, route, status), count in sorted(counts.requests.items()):
        yield f'pluriverse_requests_total{{method="{method}",route="{route}",status="{status}"}} {count}'
    yield from _head("replies_total", "counter", "replies, by how they ended")
    for reason, count in sorted(counts.replies.items()):
        yield f'pluriverse_replies_total{{reason="{reason}"}} {count}'
    for name, kind, words, value in (
        ("replies_now", "gauge", "replies being made or waiting", house.busy),
        ("prompt_tokens_total", "counter", "tokens read", counts.prompt_tokens),
        ("completion_tokens_total", "counter", "tokens written", counts.completion_tokens),
        ("first_token_seconds_sum", "counter", "seconds to first tokens, summed", counts.first_token_s),
        ("first_token_seconds_count", "counter", "replies that those are of", counts.answered),
        ("engine_bytes", "gauge", "memory held by engines", house.workspace.pool.memory),
        ("uptime_seconds", "gauge", "since the start", time.time() - house.started),
    ):
        yield from _head(name, kind, words)
        yield f"pluriverse_{name} {value}"


def _head(name: str, kind: str, words: str) -> Iterator[str]:
    yield f"# HELP pluriverse_{name} {words}"
    yield f"# TYPE pluriverse_{name} {kind}"
