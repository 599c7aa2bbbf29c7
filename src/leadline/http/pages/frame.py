"""The frame of every page: who visits, how a page is made, how a form comes back, how an act is signed.

A page is made on the server and works without a script. A form carries the session's token and comes from
this very origin; what it gets wrong is shown in the form again, beside the field. An act that needs a fresh
signature shows what will be signed first (`Visit.signed`); the same form, sent again with the signature,
carries it out. Nothing changes by GET.
"""

import json
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property, wraps
from hashlib import sha256
from http import HTTPStatus
from importlib.metadata import version
from inspect import signature
from typing import Annotated, Any, ParamSpec
from urllib.parse import quote, urlencode, urlsplit

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import escape
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from leadline.app import approval, once
from leadline.app.context import Context
from leadline.app.once import Carried, Once
from leadline.app.sign_in import NotSignedIn, csrf_of
from leadline.core.access import Action, Resource
from leadline.core.approval import Detail, Granted
from leadline.core.approval import Request as Asked
from leadline.core.errors import Invalid, LeadlineError, Refused, Stale, Unavailable
from leadline.http.api import caller, coming, problem, shell
from leadline.http.pages.deed import Deed
from leadline.http.pages.filters import FILTERS
from leadline.http.pages.form import File, Form
from leadline.wiring.desk import AtDesk
from leadline.wiring.portal import Portal
from leadline.wiring.sign_in import Acting, passkey_signature

P = ParamSpec("P")
CSRF, ONCE, ASKED, ANSWER = "_csrf", "_once", "_request", "_answer"
# A form on its way through a sign-in, and a form that is only to be shown again, filled in as it was.
KEPT, LOOK = "_kept", "_look"
KEPT_MAX = 64 << 10
OWN = frozenset({CSRF, ONCE, ASKED, ANSWER, KEPT, LOOK})
LOOKED = "Here is the form as you filled it in. Nothing was carried out yet."
LOCATION = "location"
FACTORS = "two-factors"  # the rule that another factor satisfies
FIELDS_MAX, FILES_MAX = 1_000, 20
FIELDS, FILES = "application/x-www-form-urlencoded", "multipart/form-data"
FIELDS_BYTES_MAX = 2 << 20  # of a form without files, which is decoded on the loop
LARGE_BYTES = 1 << 20
LARGE = coming.Turns(most=8, each=8)  # large files in memory at once, of whomever
PRODUCT = version("leadline")  # read from a file each time it is asked for
TEMPLATES = Environment(
    loader=PackageLoader("leadline.http", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters.update(FILTERS)


@dataclass(frozen=True, slots=True)
class Way:
    """A place in the navigation, for whoever holds one of *roles*; for everybody without any."""

    label: str
    path: str
    roles: frozenset[str] = frozenset()


# What each module of pages adds to when it is imported: places, and the sentences that follow a redirect.
WAYS: list[Way] = []
SAID: dict[str, str] = {}


def offered(roles: frozenset[str]) -> list[Way]:
    """The places for whoever holds *roles*: their own work first, then what everybody has."""
    fitting = [way for way in WAYS if not way.roles or way.roles & roles]
    return sorted(fitting, key=lambda way: not way.roles)


def current(ways: Sequence[Way], path: str) -> Way | None:
    """The one place in which a page lies: the nearest above it."""
    above = [one for one in ways if f"{path}/".startswith(f"{one.path.rstrip('/')}/")]
    return max(above, key=lambda one: len(one.path), default=None)


class Unsigned(Exception):
    """A form asks for an act that needs the person's signature first; it becomes the page to sign."""

    def __init__(self, asked: Asked, options: Mapping[str, object], deed: Deed) -> None:
        super().__init__(asked.id)
        self.asked, self.options, self.deed = asked, options, deed


class Repeated(Exception):
    """A form was sent before; it becomes the answer that it had then."""

    def __init__(self, done: Carried) -> None:
        super().__init__(done.where)
        self.done = done


@dataclass
class Visit:
    """One request to a page. *fault* and *typed* are set when a form is shown again.

    *token* is that of a session that this very answer begins; *looking* says that a form is to be shown
    as it was filled in, and not to be carried out.
    """

    request: Request
    portal: Portal
    acting: Acting | None
    form: Form = field(default_factory=Form)
    fault: LeadlineError | None = None
    once: Once | None = None
    token: str = ""
    looking: bool = False

    @property
    def ctx(self) -> Context:
        """The context of whoever visits; of nobody before a sign-in."""
        return self.acting.ctx if self.acting else self.portal.door.nobody()

    @property
    def me(self) -> Acting:
        """Who is signed in.

        Raises: NotSignedIn.
        """
        if self.acting is None:
            raise NotSignedIn("sign in first", ("signed-in",))
        return self.acting

    @cached_property
    def desk(self) -> AtDesk:
        """The desk that commands have too."""
        return self.portal.desk(self.me)

    @property
    def roles(self) -> frozenset[str]:
        """The roles of whoever visits, for what is offered; what is allowed is decided elsewhere."""
        return self.acting.ctx.principal.roles if self.acting else frozenset()

    @property
    def csrf(self) -> str:
        """The session's token for forms; nothing before a sign-in."""
        token = self.token or self.request.cookies.get(caller.COOKIE, "")
        return csrf_of(token) if self.acting else ""

    def query(self, name: str, default: str = "") -> str:
        """A text of the query string."""
        return self.request.query_params.get(name, default)[:1_000]

    def with_query(self, **changed: str) -> str:
        """The query string of this page with some of its texts changed; an empty one is left out."""
        now = {**self.request.query_params, **changed}
        now.pop("said", None)
        return urlencode({name: value for name, value in now.items() if value})

    def typed(self, name: str, default: str = "") -> str:
        """What stood in a field of a form that is shown again, else *default*."""
        values = self.form.fields.get(name)
        return values[0] if values else default

    def page(self, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
        """A page from a template of `http/templates`; *values* are its own names beside `visit`."""
        code = problem.status(self.fault) if self.fault else status
        ways = offered(self.roles)
        text = TEMPLATES.get_template(template).render(
            visit=self,
            ways=ways,
            lies_in=current(ways, self.request.url.path),
            said=LOOKED if self.looking else SAID.get(self.query("said"), ""),
            once=secrets.token_urlsafe(16),
            product=PRODUCT,
            field_labels=dict[str, str](),
            **values,
        )
        if self.once and self.fault is None:
            self.once.finish(code)
        return HTMLResponse(text, code)

    def go(self, path: str, said: str = "") -> RedirectResponse:
        """See another page of this portal next; *said* names a sentence of `SAID` to show there."""
        if said and said not in SAID:
            raise KeyError(said)
        query = ("&" if "?" in path else "?") + urlencode({"said": said}) if said else ""
        if self.once:
            self.once.finish(HTTPStatus.SEE_OTHER, LOCATION, local(path) + query)
        return RedirectResponse(local(path) + query, HTTPStatus.SEE_OTHER)

    def signed(
        self, action: Action, resource: Resource, facts: Mapping[str, Detail], deed: Deed
    ) -> Granted:
        """The caller's own fresh signature under this very act, whose *facts* the signature covers.

        The first time the form comes, *deed* says in words what will be signed; the form comes again
        with a passkey's answer, or with the request signed elsewhere by a key or a card.

        Raises: Unsigned; Refused and Denied, as `approval.ask`, `approve` and `granted`.
        """
        request_id, answer = self.typed(ASKED), self.typed(ANSWER)
        if request_id:
            if answer:
                approval.approve(self.ctx, request_id, passkey_signature(self.me, answer))
            return approval.granted(self.ctx, request_id)
        asked = approval.ask(self.ctx, action, resource, facts)
        _, options = self.portal.door.approval_options(self.me, asked)
        raise Unsigned(asked, options, deed)


def visiting(request: Request) -> Visit:
    """Whoever it is, signed in or not."""
    portal: Portal = request.app.state.portal
    token = request.cookies.get(caller.COOKIE, "")
    known: Acting | None = None
    try:
        known = portal.door.acting(token) if token else None
    except NotSignedIn:  # a session that ended; the page says what it says to anybody
        known = None
    return Visit(request, portal, known)


def signed_in(visit: Annotated[Visit, Depends(visiting)]) -> Visit:
    """Somebody who is signed in; whoever is not is asked to, and comes back."""
    _ = visit.me
    return visit


async def _form(request: Request) -> AsyncIterator[Form]:
    """Fields and files, bounded; the size of the whole is bounded before.

    Large files lie on the disk without a name while they come, and are read for a few senders at once.

    Raises: Unavailable, while others are read; Invalid, for what is no form of a page.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip()
    if kind not in {FIELDS, FILES}:
        raise Invalid("form", "a form of a page is due")
    if kind == FIELDS and _longer(request, FIELDS_BYTES_MAX):
        raise Invalid("form", f"is longer than {FIELDS_BYTES_MAX} bytes; give long texts as files")
    coming.require_utf8(request)
    fields, files = dict[str, list[str]](), dict[str, File]()
    async with request.form(max_files=FILES_MAX, max_fields=FIELDS_MAX) as sent:
        given = [one for _, one in sent.multi_items()]
        large = sum(one.size or 0 for one in given if isinstance(one, UploadFile))
        with LARGE.of("") if large > LARGE_BYTES else nullcontext():
            for name, value in sent.multi_items():
                if isinstance(value, UploadFile):
                    files[name] = File((value.filename or "unnamed")[:200], await value.read())
                else:
                    fields.setdefault(name, []).append(value)
            yield Form(fields, files)


def _longer(request: Request, most: int) -> bool:
    """Whether a body may be longer than *most* bytes."""
    told = request.headers.get("content-length")
    return told is None or int(told) > most


def known(request: Request, visit: Annotated[Visit, Depends(visiting)]) -> Visit:
    """Whoever it is; of somebody who is not signed in no more is read than a page without files sends.

    Raises: NotSignedIn.
    """
    if visit.acting is None and _longer(request, shell.BODY_BYTES_MAX):
        raise NotSignedIn("sign in first", ("signed-in",))
    return visit


def posted(visit: Annotated[Visit, Depends(known)], form: Annotated[Form, Depends(_form)]) -> Visit:
    """Somebody signed in who sends a form of a page of this very session.

    Raises: NotSignedIn; Denied, from another origin or without the session's token.
    """
    caller.from_here(visit.request, visit.portal.door)
    visit.form = visit.request.state.form = form  # from here on, a fault says what was typed
    session = visit.me.session
    assert session is not None  # noqa: S101 -- pages are visited with a session alone
    given = (form.fields.get(CSRF) or [""])[0]
    caller.same_page(visit.request, visit.portal.door, session, given)
    if visit.typed(LOOK):
        if not _shows_again(visit.request):
            raise Refused("this button has no form to fill in; open its page, and press it there")
        visit.looking = True
    else:
        _counted(visit)
    return visit


def _shows_again(request: Request) -> bool:
    """Whether what is asked for has a page that shows its form again."""
    return request.scope.get("endpoint") in _SHOWING


def _counted(visit: Visit) -> None:
    """Have the form count once: whatever is done by it goes through the token that its page gave it.

    A form that was changed since is another one. Raises: Repeated, where it was sent before.
    """
    token = visit.typed(ONCE)
    if not token:
        return
    told = sha256(visit.request.url.path.encode())
    for name, values in sorted(visit.form.fields.items()):
        if name not in {CSRF, ONCE, ANSWER}:
            told.update(json.dumps([name, list(values)]).encode())
    for name, file in sorted(visit.form.files.items()):
        told.update(json.dumps([name, file.name, sha256(file.data).hexdigest()]).encode())
    digest, me = told.hexdigest(), visit.me
    begun = once.begin(me.ctx, f"{token}/{digest}", digest, visit.request.url.path)
    if isinstance(begun, Carried):
        raise Repeated(begun)
    visit.once = visit.request.state.once = begun
    visit.acting = replace(me, ctx=replace(me.ctx, store=begun))


def sent(
    visit: Annotated[Visit, Depends(visiting)], form: Annotated[Form, Depends(_form)]
) -> Visit:
    """Anybody who sends a form from a page of this origin, with nothing of a session behind it.

    Raises: Denied, from another origin.
    """
    caller.from_here(visit.request, visit.portal.door)
    visit.form = form
    return visit


Anyone = Annotated[Visit, Depends(visiting)]
Me = Annotated[Visit, Depends(signed_in)]
Posted = Annotated[Visit, Depends(posted)]
Sent = Annotated[Visit, Depends(sent)]


def again(
    show: Callable[..., Response],
) -> Callable[[Callable[P, Response]], Callable[P, Response]]:
    """Show a form's own page again, with what was typed and why it was not carried out.

    *show* is the handler of the page; it is given those of the form's arguments that it takes. Where
    that page has no place any more for what was typed, the fault's own page shows it.
    """
    wanted = set(signature(show).parameters)

    def around(handle: Callable[P, Response]) -> Callable[P, Response]:
        @wraps(handle)
        def handled(*args: P.args, **kwargs: P.kwargs) -> Response:
            given: dict[str, Any] = {k: v for k, v in kwargs.items() if k in wanted}
            visit = next(one for one in kwargs.values() if isinstance(one, Visit))
            if visit.looking:
                return show(**given)
            try:
                return handle(*args, **kwargs)
            except (Invalid, Refused, Stale, Unavailable) as error:
                _free(visit.request)
                visit.fault = error
            try:
                shown = show(**given)
            except LeadlineError:
                raise visit.fault from None
            told = bytes(shown.body).decode()
            if any(str(escape(text)) not in told for _, text in wrote(visit.form)):
                raise visit.fault
            return shown

        _SHOWING.add(handled)
        return handled

    return around


# Every handler whose form has a page that can show it again.
_SHOWING: set[object] = set()


def kept(request: Request) -> str:
    """The form that was sent, for its way through a sign-in: path and fields, without files and passwords.

    Empty where there was none, where no page could show it again, or where it is too large for the way.
    """
    form: Form | None = getattr(request.state, "form", None)
    if form is None or not _shows_again(request):
        return ""
    fields = [
        (name, value)
        for name, values in form.fields.items()
        if name not in OWN and "password" not in name
        for value in values
    ]
    query = f"?{request.url.query}" if request.url.query else ""
    told = json.dumps({"path": request.url.path + query, "fields": fields})
    return told if len(told) <= KEPT_MAX else ""


def unkept(told: str) -> tuple[str, Sequence[tuple[str, str]]]:
    """The path within this portal, and the fields, of what `kept` made.

    Raises: Invalid, for anything else.
    """
    try:
        found = json.loads(told)
        fields = [(str(name), str(value)) for name, value in found["fields"]]
        return local(str(found["path"])), [one for one in fields if one[0] not in OWN]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Invalid(KEPT, "is no form on its way through a sign-in") from error


def wrote(form: Form) -> Sequence[tuple[str, str]]:
    """The words that a person typed into a form, by field: nothing chosen, no password."""
    return [
        (name, text)
        for name, texts in form.fields.items()
        if name not in OWN and "password" not in name
        for text in texts
        if len(text.split()) > 1
    ]


def local(path: str) -> str:
    """*path*, if it leads within this portal; else its start. Nobody is led elsewhere from here."""
    parts = urlsplit(path)
    inside = path.startswith("/") and not path.startswith(("//", "/\\"))
    if parts.scheme or parts.netloc or not inside or "\\" in path or not path.isprintable():
        return "/"
    return path


def fault(request: Request, error: Exception) -> Response:
    """What went wrong, as a page; without a sign-in, the way there."""
    visit = visiting(request)
    if isinstance(error, Repeated):
        return _repeated(visit, error.done)
    _free(request)
    if isinstance(error, Unsigned):
        return to_sign(request, error)
    if isinstance(error, NotSignedIn) and request.method == "GET":
        back = quote(request.url.path + (f"?{request.url.query}" if request.url.query else ""), "")
        return RedirectResponse(f"/sign-in?next={back}", HTTPStatus.SEE_OTHER)
    code, told = 500, "An error of this program; it is on record."
    if isinstance(error, LeadlineError):
        code, told = problem.status(error), problem.told(error)
    elif isinstance(error, HTTPException):
        code, told = error.status_code, HTTPStatus(error.status_code).phrase
    elif isinstance(error, RequestValidationError):
        code, told = 422, "a part of the address or of the form has another shape than is due"
    if code == HTTPStatus.NOT_FOUND:
        told = problem.NOT_FOUND
    rules = tuple(getattr(error, "rules", ()))
    return visit.page(
        "fault.html.j2",
        status=code,
        code=code,
        title=TITLES.get(code, HTTPStatus(code).phrase),
        told=told,
        rules=rules,
        field=getattr(error, "field", ""),
        wrote=wrote(getattr(request.state, "form", Form())),
        kept=kept(request) if code == HTTPStatus.UNAUTHORIZED or FACTORS in rules else "",
        files=bool(getattr(request.state, "form", Form()).files),
    )


def _free(request: Request) -> None:
    """A form that was refused may be sent again as it is."""
    begun: Once | None = getattr(request.state, "once", None)
    if begun is not None:
        begun.free()


def _repeated(visit: Visit, done: Carried) -> Response:
    if done.kind == LOCATION and done.answer is not None:
        return RedirectResponse(local(done.answer), HTTPStatus.SEE_OTHER)
    return fault(visit.request, Refused(f"this form was sent before; look at {done.where}"))


TITLES: Mapping[int, str] = {
    401: "Sign in first",
    403: "The rules do not allow this",
    404: "Not found",
    409: "Not in this state",
    412: "It changed in the meantime",
    413: "Too large",
    422: "Something here cannot be taken",
    429: "Too soon",
    500: "Something does not verify",
    503: "Not available at the moment",
}


def to_sign(request: Request, error: Unsigned) -> Response:
    """The page that shows what will be signed, and sends the same form again with the signature."""
    visit = visiting(request)
    form: Form = request.state.form
    kept: Sequence[tuple[str, str]] = [
        (name, value) for name, values in form.fields.items() if name not in OWN for value in values
    ]
    return visit.page(
        "sign_act.html.j2",
        asked=error.asked,
        deed=error.deed,
        digest=approval.digest(error.asked).hex(),
        options=error.options,
        kept=kept,
        path=request.url.path,
    )
