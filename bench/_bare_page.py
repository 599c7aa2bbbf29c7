"""A page of the framework alone, for comparison: FastAPI, Jinja, 25 rows from memory, uvicorn."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from jinja2 import Environment

ROWS = [{"id": f"case-{n:06}", "title": f"A title {n}", "state": "open"} for n in range(25)]
PAGE = Environment(autoescape=True).from_string(
    "<!doctype html><title>Rows</title><table>{% for row in rows %}<tr><td>{{ row.id }}</td>"
    "<td>{{ row.title }}</td><td>{{ row.state }}</td></tr>{% endfor %}</table>"
)


def application() -> FastAPI:
    """One page at the root."""
    made = FastAPI()

    def page() -> HTMLResponse:
        return HTMLResponse(PAGE.render(rows=ROWS))

    made.get("/")(page)
    return made


@contextmanager
def served() -> Iterator[str]:
    """On a free port, in a thread of its own."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(application(), log_level="warning"))
        running = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        running.start()
        while not server.started:
            time.sleep(0.02)
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            running.join()
