"""Which route a path has: found among those that begin as it does, and not by trying some four hundred.

The framework's own router tries one after the other, those of an included router twice. It still answers
what is found here: that there is no such path, that a path has other methods, and what is mounted.
"""

from collections import defaultdict
from collections.abc import Sequence

from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import BaseRoute, Match, Router
from starlette.types import ASGIApp, Receive, Scope, Send

API = "api"


class Finding:
    """Hands a request to its route; to *rest* where it finds none that takes it whole."""

    def __init__(self, router: Router, rest: ASGIApp) -> None:
        self._router, self._rest = router, rest
        self._beginning = _by_beginning(router.routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] == "http":
            for route in self._beginning.get(beginning(scope["path"]), ()):
                match, found = route.matches(scope)
                if match is Match.FULL:
                    scope["router"] = self._router
                    scope.update(found)
                    await route.handle(scope, receive, send)
                    return
        await self._rest(scope, receive, send)


def _by_beginning(routes: Sequence[BaseRoute]) -> dict[str, list[APIRoute]]:
    found = defaultdict[str, list[APIRoute]](list)
    for one in iter_route_contexts(routes):
        route = one.original_route
        if isinstance(route, APIRoute) and one.path == route.path:
            found[beginning(route.path)].append(route)
    return dict(found)


def beginning(path: str) -> str:
    """The first part of a path; below the API, the third."""
    parts = path.split("/", 4)
    return "/".join(parts[1:4]) if parts[1:2] == [API] else parts[1] if len(parts) > 1 else ""
