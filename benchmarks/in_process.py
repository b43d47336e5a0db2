"""Requests that an ASGI application answers in this process, without a network. Knows no application."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import click

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


def request_scope(path: str, encoding: str = "identity") -> dict[str, Any]:
    way, _, query = path.partition("?")
    headers = [(b"host", b"localhost"), (b"accept-encoding", encoding.encode())]
    return {
        **{"type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "root_path": ""},
        **{"path": way, "raw_path": way.encode(), "query_string": query.encode(), "headers": headers},
        **{"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {}},
    }


class NotAnswered(click.ClickException):
    """The status is another than 200."""

    def __init__(self, path: str, status: int) -> None:
        super().__init__(f"the answer to {path} is {status}")
        self.status = status


async def ask(app: Application, scope: dict[str, Any]) -> float:
    """How many milliseconds the answer took. Fails where there is none."""
    started = time.perf_counter()
    await read(app, scope)
    return (time.perf_counter() - started) * 1000


async def read(app: Application, scope: dict[str, Any]) -> bytes:
    """The body of the answer. Fails where there is none."""
    body: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message.get("status", 200) != 200:  # noqa: PLR2004
            raise NotAnswered(scope["path"], message["status"])
        body.append(message.get("body", b""))

    await app({**scope}, receive, send)
    return b"".join(body)
