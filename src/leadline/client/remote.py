"""Use cases carried out by a server: the same functions are named, and the same types come back."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, is_dataclass
from functools import cache
from inspect import signature
from json import dumps
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from leadline.app.context import Context
from leadline.app.engagement import Dealings
from leadline.app.once import KEY
from leadline.app.sign_in import csrf_of
from leadline.client.shape import NAMED, Adapter, Field, Shape, shapes
from leadline.client.terminal import COOKIE, ERRORS, Place, client_of
from leadline.client.uses import PREFIX, SAFE
from leadline.core.access import Action, Principal
from leadline.core.approval import Detail, Granted, Request
from leadline.core.errors import (
    Denied,
    Invalid,
    LeadlineError,
    NotFound,
    Refused,
    Stale,
    Tampered,
    Unavailable,
)

P = ParamSpec("P")
T = TypeVar("T")
KINDS: Mapping[str, Callable[[str], LeadlineError]] = {
    "denied": Denied,
    "not-signed-in": Denied,
    "not-found": NotFound,
    "refused": Refused,
    "too-soon": Refused,
    "stale": Stale,
    "unavailable": Unavailable,
    "tampered": lambda told: Tampered("the server", told),
}
SERVER_ERROR = 500


def at_server(engagement: str) -> Dealings:
    """Dealings that a server knows; here they have their id and nothing else."""
    made = object.__new__(Dealings)
    object.__setattr__(made, "id", engagement)
    return made


def signed_at_server(request: str) -> Granted:
    """A request that was signed at a server; here it has its id and nothing else."""
    made = object.__new__(Request)
    object.__setattr__(made, "id", request)
    return Granted(made, frozenset(), asserted=True)


@cache
def _of(case: Callable[..., object]) -> Shape | None:
    return next((one for one in shapes() if one.use.case is case), None)


@dataclass(frozen=True)
class Remote:
    """A server, and a session at it."""

    client: httpx.Client

    def call(
        self,
        case: Callable[Concatenate[Context, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Have the server carry out a use case; raises what it would raise here.

        Raises: Invalid, for a use case that is not carried out over HTTP.
        """
        shape = _of(case)
        if shape is None:
            raise Invalid("--server", "this is done at the installation itself, not over HTTP")
        bound = signature(case).bind(None, *args, **kwargs)
        found: T = self._called(shape, bound.arguments)
        return found

    def begun(self, model: str, digest: str, regime: str) -> str:
        """Open a draft of the caller's own organisation; answers the engagement's id."""
        subject = {"kind": "model", "name": model, "digest": digest}
        body = dumps({"regime": regime, "model": model, "subject": subject}).encode()
        return str(self.send("POST", "/engagements", body).json()["id"])

    def me(self) -> Principal:
        """Who the session stands for."""
        found: Principal = _read(Adapter(Principal), self.send(SAFE, "/me"))
        return found

    def signed(
        self,
        action: Action,
        engagement: str,
        facts: Mapping[str, Detail],
        sign: Callable[[bytes], Mapping[str, str]],
    ) -> Granted:
        """Ask for an act on an engagement and sign it; *sign* answers key, method and signature."""
        told = {"action": action.value, "engagement": engagement, "detail": dict(facts)}
        asked = self.send("POST", "/approvals", dumps(told).encode()).json()
        answer = dict(sign(bytes.fromhex(asked["to_sign"])))
        self.send("POST", f"/approvals/{asked['id']}", dumps(answer).encode())
        return signed_at_server(asked["id"])

    def _called(self, shape: Shape, given: Mapping[str, object]) -> Any:  # noqa: ANN401 -- as its type says
        path = _path(shape, given)
        fields = {one: given[one.parameter] for one in shape.fields if one.parameter in given}
        if shape.use.method != SAFE:
            body = b",".join(
                dumps(one.name).encode() + b":" + _written(one, value)
                for one, value in fields.items()
            )
            answer = self.send(
                shape.use.method, path, b"{" + body + b"}", self._match(shape, given)
            )
            return _answered(shape, answer)
        query = [(one.name, text) for one, value in fields.items() for text in _texts(one, value)]
        if not shape.paged:
            return _answered(shape, self.send(SAFE, path, query=query))
        return self._pages(shape, path, query)

    def _pages(self, shape: Shape, path: str, query: list[tuple[str, str]]) -> Any:  # noqa: ANN401 -- as its type says
        items, cursor = list[object](), ""
        while True:
            place = [("cursor", cursor)] if cursor else []
            page = self.send(SAFE, path, query=[*query, ("limit", "200"), *place]).json()
            items += page["items"]
            cursor = str(page["next"] or "")
            if not cursor:
                return shape.answer.load(dumps(items).encode())

    def _match(self, shape: Shape, given: Mapping[str, object]) -> str:
        """The version that a change is for, where one is due: the one that stands."""
        if shape.use.method != "PUT":
            return ""
        above = shape.use.path.rpartition("/")[0]
        return str(self.send(SAFE, _path(shape, given, above)).headers.get("etag", ""))

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        match: str = "",
        query: list[tuple[str, str]] | None = None,
    ) -> httpx.Response:
        """One request; raises what the server's problem stands for."""
        headers = {"content-type": "application/json"} if method != SAFE else {}
        if method != SAFE:
            headers[KEY] = secrets.token_urlsafe(16)
        if match:
            headers["if-match"] = match
        params = httpx.QueryParams(tuple(query)) if query else None
        return self.asked(method, path, content=body or None, headers=headers, params=params)

    def asked(self, method: str, path: str, **given: Any) -> httpx.Response:  # noqa: ANN401 -- as httpx has it
        """As `send`, for what is no JSON; raises what the server's problem stands for."""
        try:
            answer = self.client.request(method, PREFIX + path, **given)
        except httpx.HTTPError as error:
            raise Unavailable(f"the server does not answer: {error}") from error
        if answer.is_error:
            raise problem(answer)
        return answer


def problem(answer: httpx.Response) -> LeadlineError:
    """The error that a problem document stands for."""
    try:
        told = answer.json()
        code, detail = str(told["code"]), str(told["detail"])
    except (ValueError, KeyError, TypeError):
        kind = ERRORS.get(answer.status_code, Unavailable)  # an answer to HEAD has no words
        return kind(f"the server answers with status {answer.status_code}")
    if code == Denied.code:
        return Denied(detail, tuple(map(str, told.get("rules", ()))))
    if code == Invalid.code:
        field = str(told.get("field", "request"))
        return Invalid(field, detail.removeprefix(f"{field}: "))
    if code in KINDS:
        return KINDS[code](detail)
    if answer.status_code >= SERVER_ERROR:
        return Unavailable(detail)
    return Invalid("request", detail)


def _path(shape: Shape, given: Mapping[str, object], path: str = "") -> str:
    names = {place: str(given[name]) for name, place in shape.place.items()}
    for name in shape.stands:
        on = given[name]
        id_ = on.id if isinstance(on, Dealings) else getattr(on, "engagement", "")
        names["engagement"] = str(id_)
        names["owner"] = str(getattr(on, "owner", ""))
    quoted = {name: quote(text, safe="/" if name in LONG else "") for name, text in names.items()}
    return (path or shape.use.path).format(**quoted)


LONG = frozenset({"name", "project", "duty"})


def _written(one: Field, value: object) -> bytes:
    return one.writing.dump(NAMED[one.hint][1](value) if one.named else value)


def _texts(one: Field, value: object) -> list[str]:
    """As a query has it; what is empty is left out, as its default."""
    if one.named:
        text = NAMED[one.hint][1](value)
        return [text] if text else []
    if value is None:
        return []
    if is_dataclass(value):
        return [one.writing.dump(value).decode()]
    if isinstance(value, bool):
        return [str(value).lower()]
    return [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)]


def _answered(shape: Shape, answer: httpx.Response) -> object:
    if answer.status_code == httpx.codes.NO_CONTENT:
        return None
    return answer.content if shape.binary else _read(shape.answer, answer)


def _read(adapter: Adapter, answer: httpx.Response) -> Any:  # noqa: ANN401 -- as its type says
    try:
        return adapter.load(answer.content)
    except ValidationError as error:
        told = "the server answers with what this version does not know; use its own version"
        raise Unavailable(told) from error


@contextmanager
def opened(place: Place, token: str) -> Iterator[Remote]:
    """A server, for whoever holds a session's token.

    Raises: Invalid, for a server without TLS.
    """
    with client_of(place) as client:
        client.headers.update(
            {
                "cookie": f"{COOKIE}={token}",
                "origin": place.url.rstrip("/"),
                "x-csrf-token": csrf_of(token),
            }
        )
        yield Remote(client)
