"""The routes of every use case, made of one table (`leadline.client.uses`).

A request is read by the use case's own types, what the installation knows is given, and what the use
case answers goes out as its own type says. Upheld here: a key makes a request that is sent twice count
once; a thing has an ETag of its very bytes, and a change can be bound to the version it was meant for,
which is looked at again in the transaction that makes the change.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, cast

from fastapi import APIRouter, Depends, Request, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from leadline.app import briefing, engagement, priority
from leadline.app.once import Once
from leadline.app.ports import Store
from leadline.app.terms import ready
from leadline.client.shape import Adapter, Field, Shape, item, moments, shapes
from leadline.client.uses import PREFIX, SAFE
from leadline.core.errors import Invalid, Stale
from leadline.formats import document
from leadline.http.api import caller, given
from leadline.http.api.counted import BYTES, JSON, Body, counted, tag, tagged, tags
from leadline.http.api.problem import Shapeless
from leadline.http.api.shell import bytes_max
from leadline.wiring import assessments
from leadline.wiring.desk import AtDesk
from leadline.wiring.lists import queue_of
from leadline.wiring.sign_in import Acting, Door

if TYPE_CHECKING:
    from leadline.wiring.portal import Portal

ROUTES = APIRouter(prefix=PREFIX)
LIMIT, LIMIT_MAX, TEXT_MAX = 100, 200, 8_192
# Names that hold slashes themselves.
LONG = frozenset({"name", "project", "duty"})
# Where commands do more than call the use case.
INSTEAD: Mapping[Callable[..., Any], Callable[..., Any]] = {
    priority.queue: lambda desk, zone, **_: queue_of(desk.ctx, desk.home, zone),
    engagement.agree_terms: lambda desk, on, terms, granted=None: engagement.agree_terms(
        desk.ctx, on, terms, granted, ready(desk.ctx, on, terms)
    ),
    briefing.ground: lambda desk, on, digest: briefing.ground(
        desk.ctx, on, digest, assessments.told(desk, on)
    ),
    briefing.sheet: lambda desk, on, under="": briefing.sheet(
        desk.ctx, on, assessments.told(desk, on), under
    ),
}
By = Annotated[Acting, Depends(caller.acting)]


@dataclass(frozen=True, slots=True)
class Call:
    """One request to one use case: who asks, where, and with what."""

    shape: Shape
    request: Request
    desk: AtDesk
    body: bytes

    @property
    def path(self) -> Mapping[str, str]:
        """The names in its path."""
        return self.request.path_params


def anybody(request: Request, found: Annotated[Door, Depends(caller.door)]) -> Acting:
    """Whoever it is; nobody, where a request shows neither a session nor a credential."""
    if request.cookies.get(caller.COOKIE) or request.headers.get("authorization"):
        return caller.acting(request, found)
    return Acting(found.nobody())


Whoever = Annotated[Acting, Depends(anybody)]


def _endpoint(made: Shape) -> Callable[..., Response]:
    def called(request: Request, by: By, body: Body) -> Response:
        return _called(made, request, by, body)

    def open_to_all(request: Request, by: Whoever, body: Body) -> Response:
        return _called(made, request, by, body)

    return open_to_all if made.use.open else called


def _called(made: Shape, request: Request, by: Acting, body: bytes) -> Response:
    portal = cast("Portal", request.app.state.portal)
    call = Call(made, request, portal.desk(by), body)
    if made.use.method == SAFE:
        return _read(call)
    texts = _texts(call)
    if not made.use.acting:
        return _answer(made, _run(call, texts))

    def acted(begun: Once) -> Response:
        ctx = replace(call.desk.ctx, store=begun)
        return _acted(replace(call, desk=replace(call.desk, ctx=ctx)), texts, begun)

    return counted(request, call.desk.ctx, body, _look(call), acted, kept=made.use.kept)


def _acted(call: Call, texts: Mapping[str, bytes], begun: Once) -> Response:

    def still(store: Store) -> None:
        """What the change is meant for, looked at anew where nothing else can change it."""
        ctx = replace(call.desk.ctx, store=store)
        _unchanged(replace(call, desk=replace(call.desk, ctx=ctx)))

    still(begun.inner)
    begun.still = still
    return _answer(call.shape, _run(call, texts))


def _look(call: Call) -> str:
    above = _above(call.shape.use.path)
    return PREFIX + (above.use.path.format(**call.path) if above else call.shape.use.path)


def _texts(call: Call) -> Mapping[str, bytes]:
    """The fields of the body, each as JSON."""
    known = {one.name for one in call.shape.fields}
    told: Mapping[str, object] = {}
    if call.body:
        kind = call.request.headers.get("content-type", "").split(";")[0].strip()
        if kind != JSON:
            raise HTTPException(415, f"send {JSON}")
        told = document.load(call.body, "body", bytes_max(call.request.url.path))
        _plain(told, "")
    unknown = sorted(set(told) - known)
    if unknown:
        raise Shapeless([(f"#/{unknown[0]}", "is no field here")])
    return {name: json.dumps(value).encode() for name, value in told.items()}


def _plain(value: object, place: str) -> None:
    """Raises Invalid, for a text that no record can hold."""
    match value:
        case str():
            _text(value, place or "body")
        case dict():
            for key, one in value.items():
                _text(key, place or "body")
                _plain(one, f"{place}/{key}")
        case list():
            for index, one in enumerate(value):
                _plain(one, f"{place}/{index}")
        case _:
            pass


def _text(text: str, place: str) -> str:
    if "\0" in text or (not text.isascii() and any("\ud800" <= sign <= "\udfff" for sign in text)):
        raise Invalid(place[:TEXT_MAX].encode(errors="replace").decode(), "holds what is no text")
    return text


def _run(call: Call, texts: Mapping[str, bytes]) -> object:
    made = call.shape
    args: dict[str, object] = {}
    for one in made.fields:
        if one.name in texts:
            args[one.parameter] = _value(one, lambda one=one: one.reading.load(texts[one.name]))  # type: ignore[misc]
        elif one.required:
            raise Shapeless([(f"#/{one.name}", "is missing")])
    return _case(call, args)


def _value(one: Field, read: Callable[[], object]) -> object:
    try:
        value = read()
    except ValidationError as error:
        raise Shapeless(
            [
                ("/".join(("#", one.name, *map(str, found["loc"][1:]))), found["type"])
                for found in error.errors(include_url=False, include_input=False)[:20]
            ]
        ) from None
    except ValueError as error:
        raise Invalid(one.name, str(error)[:200]) from None
    moments(value, one.name)
    return value


def _case(call: Call, args: dict[str, object]) -> object:
    made, desk = call.shape, call.desk
    for name, place in made.place.items():
        args[name] = _placed(made, name, _text(call.path[place], place))
    if made.use.case not in INSTEAD:
        args |= {name: given.known(desk, name, hint) for name, hint in made.known.items()}
    for name, hint in made.stands.items():
        args[name] = given.about(desk, hint, call.path)
    for one in made.fields:
        if one.named and one.parameter in args:
            args[one.parameter] = given.named(desk, one, str(args[one.parameter]))
    instead = INSTEAD.get(made.use.case)
    return instead(desk, **args) if instead else made.use.case(desk.ctx, **args)


def _placed(made: Shape, name: str, text: str) -> object:
    if name not in made.numbers:
        return text
    if not text.isascii() or not text.isdecimal() or len(text) > 9:  # noqa: PLR2004 -- enough to count with
        raise Invalid(name, "is a whole number")
    return int(text)


def _answer(made: Shape, value: object) -> Response:
    if made.answer.hint is type(None) or made.answer.hint is None:
        return Response(status_code=204)
    if made.binary:
        return Response(cast("bytes", value), media_type=BYTES)
    return Response(made.answer.dump(value), media_type=JSON)


def _asked(call: Call) -> dict[str, object]:
    """The fields of the query."""
    sent = call.request.query_params
    own = {"limit", "cursor"} if call.shape.paged else set[str]()
    known = {one.name: one for one in call.shape.fields}
    args: dict[str, object] = {}
    for name in sent:
        if name in own:
            continue
        if name not in known:
            raise Shapeless([(f"#/{_text(name, 'query')[:100]}", "is no field here")])
        one, texts = known[name], [_text(text, name) for text in sent.getlist(name)]
        args[one.parameter] = _value(one, lambda one=one, texts=texts: one.writing.of_text(texts))  # type: ignore[misc]
    missing = [one.name for one in call.shape.fields if one.required and one.parameter not in args]
    if missing:
        raise Shapeless([(f"#/{missing[0]}", "is missing")])
    return args


def _read(call: Call) -> Response:
    value = _case(call, _asked(call))
    if call.shape.paged:
        return _page(call, cast("Sequence[object]", value))
    return tagged(call.request, _answer(call.shape, value))


@cache
def _above(path: str) -> Shape | None:
    """The nearest thing that can be read at *path* or above it."""
    fitting = [
        one
        for one in shapes()
        if one.use.method == SAFE
        and not one.paged
        and one.use.path.endswith("}")
        and f"{path}/".startswith(f"{one.use.path}/")
    ]
    return max(fitting, key=lambda one: len(one.use.path), default=None)


def _unchanged(call: Call) -> None:
    """Return unless the change was meant for another version of the thing that it changes.

    Raises: Stale; HTTPException 428, where something is replaced and no version is named.
    """
    above, wanted = _above(call.shape.use.path), call.request.headers.get("if-match", "")
    if above is None or not wanted:
        if above and call.shape.use.method == "PUT":
            look = PREFIX + above.use.path.format(**call.path)
            raise HTTPException(428, f"send If-Match with the ETag of {look}")
        return
    now = _answer(above, _case(replace(call, shape=above), {}))
    if not tags(wanted) & {"*", tag(bytes(now.body))}:
        raise Stale("it changed since you read it; read it again")


def _page(call: Call, found: Sequence[object]) -> Response:
    sent = call.request.query_params
    told = sent.get("limit", str(LIMIT))
    if not told.isascii() or not told.isdecimal() or not 1 <= int(told[:9]) <= LIMIT_MAX:
        raise Invalid("limit", f"is a whole number from 1 to {LIMIT_MAX}")
    one, limit = Adapter(item(call.shape.answer.hint)) if found else None, int(told)
    start = _after(found, sent["cursor"], one) if "cursor" in sent else 0
    some = found[start : start + limit]
    more = start + limit < len(found)
    next_ = _cursor(_name(some[-1], one), start + limit) if more and one else None
    items = b",".join(one.dump(thing) for thing in some) if one else b""
    body = b'{"items":[' + items + b'],"next":' + json.dumps(next_).encode() + b"}"
    return Response(body, media_type=JSON)


def _name(thing: object, one: Adapter | None) -> str:
    """What a thing in a list is known by: its id, else the digest of what is shown of it."""
    id_ = getattr(thing, "id", None)
    return id_ if isinstance(id_, str) else sha256(one.dump(thing) if one else b"").hexdigest()


def _cursor(name: str, place: int) -> str:
    return urlsafe_b64encode(json.dumps([name, place]).encode()).decode()


def _after(found: Sequence[object], cursor: str, one: Adapter | None) -> int:
    """Where a list goes on: after the thing that was shown last, wherever it stands now."""
    try:
        name, place = json.loads(urlsafe_b64decode(cursor.encode()))
        place = min(max(int(place), 0), len(found))
    except (ValueError, TypeError):
        raise Invalid("cursor", "is none of this list; begin without one") from None
    near = range(place - 1, -1, -1), range(place, len(found))
    for index in (index for some in near for index in some):
        if _name(found[index], one) == name:
            return index + 1
    raise Invalid("cursor", "what it stands after is gone; begin without one")


def _route(path: str) -> str:
    for name in LONG:
        path = path.replace(f"{{{name}}}", f"{{{name}:path}}")
    return path


for _made in shapes():
    ROUTES.add_api_route(
        _route(_made.use.path),
        _endpoint(_made),
        methods=[_made.use.method],
        name=_made.use.name,
        include_in_schema=False,
    )
