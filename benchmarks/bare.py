"""The ceiling: an ASGI application on uvicorn that answers the n-th of some bytes, and does nothing else."""

import os
from pathlib import Path

from starlette.types import Receive, Scope, Send

BODIES = "BENCH_BODIES"
COMMAND = ["uvicorn", "benchmarks.bare:app", "--port", "{port}", "--no-access-log", "--log-level", "warning"]

_bodies = {f"/{file.name}": file.read_bytes() for file in Path(os.environ.get(BODIES, os.devnull)).glob("*")}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        return
    body = _bodies.get(scope["path"], b"")
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
