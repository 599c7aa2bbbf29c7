"""Inspect's own viewer of an eval log, in a sandbox without an origin: no word of a model gets out of it.

The answer's policy has `sandbox` without `allow-same-origin`: the page has an opaque origin, no cookie, no
storage and no way back; all it can fetch is its own scripts and the one log, whose address is a ticket that
ends after some minutes. A transcript as plain text stands on a page of the portal (`evaluator`).
"""

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as mac
from importlib.resources import as_file, files

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse, HTMLResponse

from leadline.core.errors import NotFound
from leadline.http.api import shell
from leadline.http.pages.frame import Anyone, Visit
from leadline.wiring import assessments

ROUTES = APIRouter()
BELOW = "/viewer/"
LIFE = timedelta(minutes=10)
KEY = secrets.token_bytes(32)  # of this process: a ticket does not outlive it
SHIM = "storage.js"
_LOG, _SCRIPT = "log.eval", "viewer.js"


@dataclass(frozen=True, slots=True)
class Ticket:
    """Whoever has it may read one sealed log, until it ends."""

    log: str
    digest: str
    ends: datetime
    engagement: str = ""  # whose run the log is of

    def text(self) -> str:
        """As an address holds it."""
        told = json.dumps([self.log, self.digest, self.ends.timestamp(), self.engagement]).encode()
        return f"{_b64(told)}.{_b64(mac(KEY, told, sha256))}"


def _b64(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")


def _bytes(value: str) -> bytes:
    return urlsafe_b64decode(value + "=" * (-len(value) % 4))


def ticket(visit: Visit, engagement: str, log: str, digest: str) -> str:
    """A ticket for one sealed log; whoever gives it has seen that the visitor may read it."""
    return Ticket(log, digest, visit.ctx.now + LIFE, engagement).text()


def read(text: str, now: datetime) -> Ticket:
    """The ticket that an address holds.

    Raises: NotFound, for one that is none, or has ended.
    """
    told, _, seal = text.partition(".")
    try:
        content = _bytes(told)
        known = compare_digest(_bytes(seal), mac(KEY, content, sha256))
    except ValueError:
        known, content = False, b""
    log, digest, ends, of = json.loads(content) if known else ("", "", 0, "")
    if not known or now.timestamp() >= ends:
        raise NotFound("this address has ended; open the transcript again")
    return Ticket(log, digest, datetime.fromtimestamp(ends, now.tzinfo), of)


def _policy() -> Mapping[bytes, bytes]:
    """What the viewer's answers carry in place of the portal's own."""
    # 'self' is the address that the answer came from, also where the page's origin is opaque. The scripts
    # within the page are the package's own, by their digests.
    policy = json.loads((assessments.viewer() / "content-security-policy.json").read_text("utf-8"))
    parts = {name: " ".join(sources) for name, sources in policy["directives"].items()}
    parts["worker-src"], parts["frame-ancestors"] = "blob:", "'none'"
    told = "; ".join(f"{name} {sources}" for name, sources in parts.items())
    return {
        b"content-security-policy": f"sandbox allow-scripts; {told}".encode(),
        # To an opaque origin everything is elsewhere; what is below here is public, or has a ticket.
        b"cross-origin-resource-policy": b"cross-origin",
        b"access-control-allow-origin": b"null",
        b"referrer-policy": b"no-referrer",
    }


shell.OWN[BELOW] = _policy()


@ROUTES.get(BELOW + "{which}/index.html")
def page(which: str, visit: Anyone) -> Response:
    """The viewer, told which log it is about."""
    read(which, visit.ctx.now)
    told = json.dumps({"log_dir": "logs", "log_file": f"logs/{_LOG}"})
    text = (assessments.viewer() / "index.html").read_text("utf-8")
    text = text.replace("<head>", f'<head><script src="./{SHIM}"></script>', 1)
    context = f'<script id="log_dir_context" type="application/json">{told}</script></head>'
    return HTMLResponse(text.replace("</head>", context, 1))


@ROUTES.get(BELOW + "{which}/" + SHIM)
def storage(which: str, visit: Anyone) -> Response:
    """What stands in for the storage that a page without an origin does not have."""
    read(which, visit.ctx.now)
    with as_file(files("leadline.http") / "static" / _SCRIPT) as path:
        return FileResponse(path, media_type="text/javascript")


@ROUTES.api_route(BELOW + "{which}/logs/" + _LOG, methods=["GET", "HEAD"])
def log(which: str, visit: Anyone) -> Response:
    """The log's bytes, or a range of them."""
    found = read(which, visit.ctx.now)
    path = assessments.log_file(visit.portal.home, found.engagement, found.log, found.digest)
    return FileResponse(path, media_type="application/octet-stream")


@ROUTES.get(BELOW + "{which}/assets/{name}")
def asset(which: str, name: str, visit: Anyone) -> Response:
    """A script, style or font of the viewer."""
    read(which, visit.ctx.now)
    folder = assessments.viewer() / "assets"
    found = next((one for one in folder.iterdir() if one.name == name and one.is_file()), None)
    if found is None:
        raise NotFound(f"no {name}")
    return FileResponse(found)
