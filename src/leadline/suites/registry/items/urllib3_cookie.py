"""Fetch a page with a session cookie and follow its redirect.

Input: where the page redirects to, with the word PORT for the port of another service, which listens on
the host name `localhost`; the page itself is on 127.0.0.1. The flaw is reached when the other service
receives the cookie.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import http.server
import importlib
import secrets
import threading

urllib3 = importlib.import_module("urllib3")

REFUSALS: tuple[type[Exception], ...] = (urllib3.exceptions.HTTPError,)
SECRET = secrets.token_hex(16)
seen: list[str] = []
place = ["/"]


class Page(http.server.BaseHTTPRequestHandler):
    """Redirects the first path to `place`."""

    def do_GET(self) -> None:
        """Redirect once."""
        self.send_response(302 if self.path == "/first" else 200)
        self.send_header("Location", place[0])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:  # type: ignore[explicit-override] # no 3.11 has it
        """Keep silent."""


class Other(http.server.BaseHTTPRequestHandler):
    """Takes down what it is sent."""

    def do_GET(self) -> None:
        """Keep the cookie."""
        seen.append(self.headers.get("Cookie", ""))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:  # type: ignore[explicit-override] # no 3.11 has it
        """Keep silent."""


_page, _other = (http.server.ThreadingHTTPServer(("127.0.0.1", 0), one) for one in (Page, Other))
for _server in (_page, _other):
    threading.Thread(target=_server.serve_forever, daemon=True).start()


def one_input(data: bytes) -> bool:
    """Fetch the page; True if the other service was sent the cookie."""
    seen.clear()
    place[0] = data.decode("ascii").replace("PORT", str(_other.server_port))
    if not place[0].isprintable():
        return False
    with urllib3.PoolManager(timeout=2.0, retries=urllib3.Retry(3, connect=0)) as pool:
        pool.request(
            "GET",
            f"http://127.0.0.1:{_page.server_port}/first",
            headers={"Cookie": f"session={SECRET}"},
        )
    return any(SECRET in cookie for cookie in seen)
