"""Styles, scripts, fonts and pictures of the pages: all from this installation, compressed where it pays.

They are public and the same for everybody, so compressing them tells nobody anything; pages are not
compressed, because they hold the session's token beside what others wrote.
"""

from functools import cache
from hashlib import sha256
from importlib.resources import as_file, files

from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope
from typing_extensions import override

AT = "/static/"
FOR_A_DAY = "public, max-age=86400"
FOR_GOOD = "public, max-age=31536000, immutable"


@cache
def asset(path: str) -> str:
    """*path* with a part of its content's digest: after an upgrade no browser shows pages in old styles.

    Raises: FileNotFoundError for a file that is not there.
    """
    content = (files("leadline.http") / "static" / path.removeprefix(AT)).read_bytes()
    return f"{path}?{sha256(content).hexdigest()[:16]}"


class Kept(StaticFiles):
    """Static files that a browser keeps: those asked for by digest for good, others for a day."""

    @override
    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers["cache-control"] = FOR_GOOD if scope["query_string"] else FOR_A_DAY
        return answer


def served() -> ASGIApp:
    """The application that answers below ``/static``."""
    with as_file(files("leadline.http") / "static") as folder:
        return GZipMiddleware(Kept(directory=folder))
