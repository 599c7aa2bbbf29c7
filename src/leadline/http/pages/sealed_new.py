"""Sealing a suite: what another host sealed is looked at first, then taken in; no key comes here.

Items are drawn, built and encrypted by a command on a host apart. What it wrote opens nothing: a page takes
it as a file, says who would know of it, and keeps it.
"""

from dataclasses import dataclass
from hashlib import sha256

from fastapi import APIRouter, Response

from leadline.app import audience, listing
from leadline.core.errors import Invalid
from leadline.formats import sealed_pack
from leadline.formats.sealed_pack import SealedPack
from leadline.http.api import shell
from leadline.http.pages.frame import SAID, Me, Posted, Visit, again
from leadline.wiring import handed, people
from leadline.wiring import sealed as wiring

ROUTES = APIRouter()
FORM, LOOKS = "/sealed/new", "/sealed/looks"
shell.LARGER["/sealed"] = shell.LARGER[LOOKS] = handed.BYTES_MAX + (1 << 20)
shell.LARGER["/sealed/"] = 2 << 20  # what is handed in about a suite that is there
SAID["pack-sealed"] = "Sealed. Its receipt stands below; tell each custodian the suite's id."


@dataclass(frozen=True, slots=True)
class Looked:
    """A file that was looked at and forgotten.

    *digest* is its SHA-256; *ours* says that this installation's own code runs and scores it.
    """

    made: SealedPack
    digest: str
    seen: audience.Audience
    ours: bool


@ROUTES.get(FORM)
def form(me: Me) -> Response:
    """How a suite is sealed, step by step, and the form that takes one in."""
    wiring.require_sealer(me.ctx)
    return _form(me, None)


def _form(me: Visit, looked: Looked | None) -> Response:
    return me.page(
        "evaluator/seal.html.j2",
        engagements=[(one.id, one.model) for one in listing.engagements(me.ctx)],
        compartments=[(one, one) for one in sorted(me.ctx.principal.compartments)],
        looked=looked,
        most=handed.BYTES_MAX >> 20,
    )


@ROUTES.post(LOOKS)
@again(form)
def look(me: Posted) -> Response:
    """A test: what the file is, and who would know of the suite. It leaves no record."""
    place, (made, digest) = _place(me), _file(me)
    seen = audience.of_pack(me.ctx, people.roles(), place.engagement, sorted(place.compartments))
    ours = made.code == wiring.measurement()
    return _form(me, Looked(made, digest, seen, ours))


@ROUTES.post("/sealed")
@again(form)
def seal(me: Posted) -> Response:
    """Take the suite in, if it is the one that was looked at."""
    place, (made, digest) = _place(me), _file(me)
    looked = me.form.text("looked", "", longest=64)
    if looked and looked != digest:
        raise Invalid("file", "this is another file than the one you looked at; look at it first")
    kept = wiring.seal(me.ctx, made, place)
    return me.go(f"/sealed/{kept.id}", said="pack-sealed")


def _place(me: Visit) -> wiring.Place:
    """Where it belongs; raises Denied, and Invalid, naming the field and the cure."""
    wiring.require_sealer(me.ctx)
    chosen = frozenset(me.form.many("compartments"))
    if away := sorted(chosen - me.ctx.principal.compartments):
        told = f"you do not hold {away[0]}; an administrator gives it to you first"
        raise Invalid("compartments", told)
    hidden, once = me.form.ticked("hidden"), me.form.ticked("once")
    return wiring.Place(me.form.text("engagement", longest=200), chosen, hidden, once)


def _file(me: Visit) -> tuple[SealedPack, str]:
    """The file and its digest; raises Invalid, naming the field, for what is no sealed suite."""
    given = me.form.file("file")
    try:
        return sealed_pack.decode(given.data), sha256(given.data).hexdigest()
    except Invalid as error:
        raise Invalid("file", f"{error.field}: {error.problem}") from error
