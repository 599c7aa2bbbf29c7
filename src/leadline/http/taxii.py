"""TAXII 2.1: published advisories, and drafts for the parties of their cases, as collections of STIX objects.

Discovery and the public collection need nobody to be signed in. Whoever shows a session or a credential is that
person everywhere, and one that does not hold is refused even there. Nothing is written by TAXII: collections say
so, and adding and deleting are refused. The document of this interface is the standard, not the OpenAPI one.
Source: TAXII 2.1 (OASIS Standard, 10 June 2021).
"""

from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from leadline.app import sharing
from leadline.app.context import Context
from leadline.app.ports import Shared, Sought, Which
from leadline.app.sharing import Collection, Part
from leadline.app.sign_in import NotSignedIn
from leadline.core.access import EPOCH
from leadline.core.errors import Invalid, LeadlineError, NotFound
from leadline.formats import taxii
from leadline.http.api import caller, problem
from leadline.http.api.shell import BODY_BYTES_MAX, TAXII
from leadline.wiring.portal import Portal

TITLE = "Leadline"
DISCOVERY = TAXII
ROOT = f"{DISCOVERY}leadline/"
ONE = ROOT + "collections/{collection}/"
PAGED = ("added_after", "limit", "next")
FILTERS = (*PAGED, "match[id]", "match[type]", "match[version]", "match[spec_version]")
ABOUT = (*PAGED, "match[version]", "match[spec_version]")
VERSIONS = (*PAGED, "match[spec_version]")
READ_ONLY = "collections here are read, and nothing in them is added or deleted by clients"


class NotAcceptable(Invalid):
    """The client takes no media type that there is here."""


def _negotiated(request: Request) -> None:
    if not taxii.acceptable(request.headers.get("accept", "")):
        raise NotAcceptable("Accept", f"only {taxii.MEDIA} is served here")


ROUTES = APIRouter(dependencies=[Depends(_negotiated)])


@dataclass(frozen=True, slots=True)
class Reader:
    """Whoever asks: as nobody, which is how everybody reads what is public, and as the person that it is."""

    request: Request
    portal: Portal
    nobody: Context
    person: Context | None

    @property
    def name(self) -> str:
        """The person's id; that of nobody is nobody's."""
        return (self.person or self.nobody).principal.id

    @property
    def contexts(self) -> tuple[Context, ...]:
        """By which collections are found, in this order."""
        return (self.nobody, self.person) if self.person else (self.nobody,)

    def context(self, id_: str) -> Context:
        """That by which a collection is read: the public one by nobody's rights, every other by one's own."""
        mine = self.person is not None and id_ != sharing.PUBLIC.id
        return self.person if mine and self.person else self.nobody

    def collection(self, id_: str) -> Collection:
        """One collection; raises NotFound."""
        return sharing.collection(self.context(id_), id_)


def _reader(request: Request) -> Reader:
    portal: Portal = request.app.state.portal
    shown = "authorization" in request.headers or caller.COOKIE in request.cookies
    person = caller.acting(request, portal.door).ctx if shown else None
    return Reader(request, portal, portal.door.nobody(), person)


_READ = partial(ROUTES.api_route, methods=["GET", "HEAD"])
Asking = Annotated[Reader, Depends(_reader)]


@dataclass(frozen=True, slots=True)
class Page:
    """One answer with objects in it, and what goes on from it."""

    part: Part
    next: str

    @property
    def objects(self) -> tuple[Shared, ...]:
        """What it holds."""
        return self.part.objects

    def answer(self, body: bytes) -> Response:
        """*body* with the headers that tell when its objects were added."""
        headers = taxii.dated([one.added for one in self.objects])
        return Response(body, headers=headers, media_type=taxii.MEDIA)


def _page(reader: Reader, id_: str, known: tuple[str, ...], object_: str = "") -> Page:
    """A part of a collection, of one object if one is named.

    Raises: NotFound, for no such collection, or where there is no such object in it; Invalid.
    """
    ctx, seal = reader.context(id_), reader.portal.seal
    reader.collection(id_)
    asked = taxii.asked(reader.request.query_params.multi_items(), known)
    bound = (reader.name, id_, object_, known, asked.filters)
    after = asked.added_after or EPOCH
    if asked.next:
        after = max(after, taxii.read_place(asked.next, bound, seal))
    ids = frozenset({object_}) if object_ else asked.ids
    wanted = frozenset(Which(one) if isinstance(one, str) else one for one in asked.versions)
    if known is VERSIONS:
        wanted = frozenset({Which.ALL})
    sought = Sought("", ids, asked.types, wanted, after, asked.limit if asked.here else 0)
    part = sharing.part(ctx, id_, sought)
    more = part.more and bool(part.objects)
    return Page(part, taxii.place(part.objects[-1].added, bound, seal) if more else "")


def _of_object(reader: Reader, id_: str, known: tuple[str, ...], object_: str) -> Page:
    if "\0" in object_:
        raise NotFound("no object has such an id")
    page = _page(reader, id_, known, object_)
    if not page.objects:
        # Filters that none of its versions fits are answered with none of them, as for a collection.
        every = Sought("", frozenset({object_}), versions=frozenset({Which.ALL}), limit=1)
        if not sharing.part(reader.context(id_), id_, every).objects:
            raise NotFound("there is no such object")
    return page


def _told(body: bytes) -> Response:
    return Response(body, media_type=taxii.MEDIA)


@_READ(DISCOVERY)
def discovery(reader: Asking) -> Response:
    """What there is: one root."""
    return _told(taxii.discovery(TITLE, reader.portal.door.site.origin + ROOT))


@_READ(ROOT)
def root(_reader: Asking) -> Response:
    """What the root says of itself."""
    return _told(taxii.root(TITLE, "Advisories as STIX 2.1, to be read alone.", BODY_BYTES_MAX))


@_READ(ROOT + "status/{status}/")
def status(status: str, _reader: Asking) -> Response:
    """Of a request to add objects; nobody has made one."""
    raise NotFound(f"no status {status:.80}")


@_READ(ROOT + "collections/")
def collections(reader: Asking) -> Response:
    """Those that the reader may know of."""
    found = dict.fromkeys(one for ctx in reader.contexts for one in sharing.collections(ctx))
    return _told(taxii.collections([_collection(one) for one in found]))


@_READ(ONE)
def collection(collection: str, reader: Asking) -> Response:
    """One of them."""
    return _told(taxii.message(_collection(reader.collection(collection))))


def _collection(one: Collection) -> taxii.Json:
    return taxii.collection(one.id, one.title, one.description)


@_READ(ONE + "manifest/")
def manifest(collection: str, reader: Asking) -> Response:
    """What objects there are, without them."""
    page = _page(reader, collection, FILTERS)
    entries = [(one.id, one.added, one.version) for one in page.objects]
    return page.answer(taxii.manifest(entries, page.next))


@_READ(ONE + "objects/")
def objects(collection: str, reader: Asking) -> Response:
    """The objects themselves."""
    page = _page(reader, collection, FILTERS)
    return page.answer(taxii.envelope([one.body for one in page.objects], page.next))


@_READ(ONE + "objects/{object_}/")
def one_object(collection: str, object_: str, reader: Asking) -> Response:
    """One object: its last version, unless others are asked for."""
    page = _of_object(reader, collection, ABOUT, object_)
    return page.answer(taxii.envelope([one.body for one in page.objects], page.next))


@_READ(ONE + "objects/{object_}/versions/")
def versions(collection: str, object_: str, reader: Asking) -> Response:
    """When the versions of one object were made."""
    page = _of_object(reader, collection, VERSIONS, object_)
    return page.answer(taxii.versions([one.version for one in page.objects], page.next))


@ROUTES.post(ONE + "objects/")
@ROUTES.delete(ONE + "objects/{object_}/")
def refused(collection: str, reader: Asking) -> Response:
    """Adding and deleting, to whoever may know of the collection; whatever object is named."""
    reader.collection(collection)
    raise HTTPException(HTTPStatus.FORBIDDEN, READ_ONLY)


def fault(_request: Request, error: Exception) -> Response:
    """The error message of whatever went wrong; what is hidden and what is absent have the same bytes."""
    headers = dict[str, str]()
    if isinstance(error, HTTPException):
        code, told = error.status_code, str(error.detail)
        headers = dict(error.headers or {})
    elif isinstance(error, LeadlineError):
        code, told = _status(error), problem.told(error)
    else:
        raise error
    if isinstance(error, NotSignedIn):
        headers["WWW-Authenticate"] = problem.CHALLENGE
    if code == HTTPStatus.NOT_FOUND:
        told = problem.NOT_FOUND
    body = taxii.error(code, HTTPStatus(code).phrase, told)
    return Response(body, code, headers, taxii.MEDIA)


def _status(error: LeadlineError) -> int:
    if isinstance(error, NotAcceptable):
        return HTTPStatus.NOT_ACCEPTABLE
    return HTTPStatus.BAD_REQUEST if isinstance(error, Invalid) else problem.status(error)
