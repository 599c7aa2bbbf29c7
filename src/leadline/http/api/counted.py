"""A request that may act counts once: its key is taken in the first transaction that it writes.

The same request under the same key has the same answer; one that is refused lets its key go. What a
request is told apart by is a digest that the route makes of it: of its body, or of what it says of a body
that is read piece by piece.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Annotated

from fastapi import Depends, Request, Response
from starlette.exceptions import HTTPException

from leadline.app import once
from leadline.app.context import Context
from leadline.app.once import Carried, Once
from leadline.client.shape import Adapter
from leadline.core.errors import Invalid, LeadlineError
from leadline.http.api import caller
from leadline.wiring.desk import AtDesk
from leadline.wiring.sign_in import Acting

KEY_MAX = 200
BYTES, JSON, ZIP = "application/octet-stream", "application/json", "application/zip"


def digest(request: Request, told: bytes) -> str:
    """What tells one request from others: where it goes, what it asks for, and *told* of its body."""
    url = request.url
    parts = (request.method.encode(), url.path.encode(), url.query.encode(), told)
    return sha256(b"\0".join(parts)).hexdigest()


def counted(
    request: Request,
    ctx: Context,
    told: bytes,
    where: str,
    do: Callable[[Once], Response],
    *,
    kept: bool = True,
) -> Response:
    """What *do* answers, which writes through what it is given; not *kept*, or bytes: shown this once.

    *where* says where the outcome can be seen.

    Raises: Invalid, without a key, or with that of another request; Refused, while it is carried out;
    otherwise as *do*.
    """
    key = request.headers.get(once.KEY, "")
    if not key.isprintable() or not 0 < len(key) <= KEY_MAX:
        raise Invalid(once.KEY, f"is due: up to {KEY_MAX} characters that are new for each request")
    begun = once.begin(ctx, key, digest(request, told), where)
    if isinstance(begun, Carried):
        return _again(begun)
    try:
        answer = do(begun)
    except LeadlineError:
        begun.free()
        raise
    whole = kept and not _binary(answer)
    begun.finish(answer.status_code, answer.media_type or "", _text(answer) if whole else None)
    return answer


def _binary(answer: Response) -> bool:
    return answer.media_type in {BYTES, ZIP}


def _text(answer: Response) -> str:
    return bytes(answer.body).decode()


def _again(done: Carried) -> Response:
    if done.answer is None:
        told = (
            f"a request with this key was carried out; its answer is not kept: look at {done.where}"
        )
        raise HTTPException(409, told)
    return Response(done.answer, done.status, media_type=done.kind or None)


def tag(body: bytes) -> str:
    """The ETag of an answer: of its very bytes."""
    return f'"{sha256(body).hexdigest()[:32]}"'


def tags(header: str) -> set[str]:
    """The ETags that a header names."""
    return {one.strip().removeprefix("W/") for one in header.split(",")}


def tagged(request: Request, answer: Response) -> Response:
    """*answer* with its ETag; only that it is as it was, where the request knows that one."""
    own = tag(bytes(answer.body))
    answer.headers["ETag"] = own
    if own in tags(request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers={"ETag": own})
    return answer


def desk(request: Request, me: Annotated[Acting, Depends(caller.acting)]) -> AtDesk:
    """The desk of whoever asks."""
    made: AtDesk = request.app.state.portal.desk(me)
    return made


Desk = Annotated[AtDesk, Depends(desk)]


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody at a desk who sends a request that may act."""

    request: Request
    at: Desk

    def told(self, adapter: Adapter, value: object) -> Response:
        """What is read, as JSON with its ETag."""
        return tagged(self.request, Response(adapter.dump(value), media_type=JSON))

    def once(
        self,
        told: bytes,
        where: str,
        do: Callable[[AtDesk], Response],
        *,
        kept: bool = True,
    ) -> Response:
        """As `counted`; *do* is given the desk through which it writes."""

        def done(begun: Once) -> Response:
            return do(replace(self.at, ctx=replace(self.at.ctx, store=begun)))

        return counted(self.request, self.at.ctx, told, where, done, kept=kept)


Calls = Annotated[Caller, Depends()]


async def _body(request: Request) -> bytes:
    """The whole body; its size is bounded before, and who sends it is asked before that."""
    return await request.body()


Body = Annotated[bytes, Depends(_body)]
