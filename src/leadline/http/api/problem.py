"""Errors over HTTP: RFC 9457 problem documents, a status for each of the seven kinds.

What is hidden and what is absent get the same bytes; what is tampered with says no more than that.
"""

import secrets
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from leadline.app.arriving import Elsewhere
from leadline.app.sign_in import NotSignedIn, TooSoon
from leadline.client.uses import PREFIX
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

STATUS: Mapping[type[LeadlineError], int] = {
    NotSignedIn: 401,
    TooSoon: 429,
    Invalid: 422,
    Denied: 403,
    NotFound: 404,
    Refused: 409,
    Stale: 412,
    Unavailable: 503,
    Tampered: 500,
}


class Shapeless(Invalid):
    """What came has another shape than is due; *places* are JSON pointers, each with its problem."""

    def __init__(self, places: Sequence[tuple[str, str]]) -> None:
        self.places = tuple(places)
        place, problem = self.places[0]
        super().__init__(place.removeprefix("#/").replace("/", "."), problem)


PLACE = f"{PREFIX}/problems/"
CHALLENGE = 'DPoP algs="ES256 EdDSA"'  # what signing in takes, beside a session
NOT_FOUND = "there is no such thing, or you may not know of it"
TAMPERED = "something does not verify; an alarm was raised"


def status(error: LeadlineError) -> int:
    """The HTTP status of an error's kind; a subclass has its parent's."""
    return next(code for kind, code in STATUS.items() if isinstance(error, kind))


def told(error: LeadlineError) -> str:
    """What of an error goes out."""
    match error:
        case NotFound():
            return NOT_FOUND
        case Tampered():
            return TAMPERED
        case Denied():
            return error.reason
        case _:
            return str(error)


def document(code: int, name: str, detail: str, **more: object) -> JSONResponse:
    """One problem document; its type is a path here that says what the name means."""
    body = {
        "type": PLACE + name,
        "title": HTTPStatus(code).phrase,
        "status": code,
        "code": name,
        "detail": detail,
        "request_id": secrets.token_hex(8),
    }
    return JSONResponse({**body, **more}, code, media_type="application/problem+json")


def ours(_: Request, error: Exception) -> JSONResponse:
    """One of the seven errors."""
    if not isinstance(error, LeadlineError):
        raise error
    more: dict[str, object] = {}
    if isinstance(error, Denied):
        more["rules"] = list(error.rules)
    if isinstance(error, Invalid):
        more["field"] = error.field
        more["errors"] = [{"pointer": place, "detail": problem} for place, problem in places(error)]
    answer = document(status(error), error.code, told(error), **more)
    if isinstance(error, TooSoon):
        answer.headers["Retry-After"] = str(error.seconds)
    if isinstance(error, Elsewhere):
        answer.headers["Upload-Offset"] = str(error.offset)
    if isinstance(error, NotSignedIn):
        answer.headers["WWW-Authenticate"] = CHALLENGE
    return answer


def places(error: Invalid) -> Sequence[tuple[str, str]]:
    """Where in a request the problems are, as JSON pointers."""
    if isinstance(error, Shapeless):
        return error.places
    field = error.field.replace("~", "~0").replace("/", "~1")
    return [(f"#/{field}", error.problem)]


def shape(_: Request, error: Exception) -> JSONResponse:
    """A body or query of another shape: its place and problem, never the value, maybe a password."""
    if not isinstance(error, RequestValidationError):
        raise error
    told = [(".".join(str(part) for part in one["loc"]), one["type"]) for one in error.errors()]
    place, problem = told[0]
    errors = [{"pointer": f"#/{at.replace('.', '/')}", "detail": what} for at, what in told]
    return document(422, Invalid.code, f"{place}: {problem}", field=place, errors=errors)


def foreign(_: Request, error: Exception) -> JSONResponse:
    """What the framework itself answers: no such route, no such method."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == HTTPStatus.NOT_FOUND:
        return document(404, NotFound.code, NOT_FOUND)
    answer = document(error.status_code, "http", error.detail)
    answer.headers.update(error.headers or {})
    return answer


def answer(request: Request, error: Exception) -> JSONResponse:
    """The problem document of whatever went wrong."""
    if isinstance(error, RequestValidationError):
        return shape(request, error)
    if isinstance(error, HTTPException):
        return foreign(request, error)
    return ours(request, error)
