"""Errors over HTTP: RFC 9457 problem documents, a status for each of the seven kinds.

What is hidden and what is absent get the same bytes; what is tampered with says no more than that.
"""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from leadline.app.sign_in import NotSignedIn, TooSoon
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
    """One problem document. The type is about:blank: the title says no more than the status."""
    body = {"title": HTTPStatus(code).phrase, "status": code, "code": name, "detail": detail}
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
    answer = document(status(error), error.code, told(error), **more)
    if isinstance(error, TooSoon):
        answer.headers["Retry-After"] = str(error.seconds)
    if isinstance(error, NotSignedIn):
        answer.headers["WWW-Authenticate"] = 'DPoP algs="ES256 EdDSA"'
    return answer


def shape(_: Request, error: Exception) -> JSONResponse:
    """A body or query of another shape: its place and problem, never the value, maybe a password."""
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return document(422, Invalid.code, f"{place}: {first['type']}", field=place)


def foreign(_: Request, error: Exception) -> JSONResponse:
    """What the framework itself answers: no such route, no such method."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == HTTPStatus.NOT_FOUND:
        return document(404, NotFound.code, NOT_FOUND)
    answer = document(error.status_code, "http", HTTPStatus(error.status_code).phrase)
    answer.headers.update(error.headers or {})
    return answer


def install(app: FastAPI) -> None:
    """Every error of the application leaves as a problem document."""
    app.add_exception_handler(LeadlineError, ours)
    app.add_exception_handler(RequestValidationError, shape)
    app.add_exception_handler(HTTPException, foreign)
