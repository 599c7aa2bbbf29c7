"""The log: its signed head for everybody, each act and its proof for whoever may read the record."""

import json
from base64 import b64encode

from fastapi import APIRouter, Response

from leadline.app import explorer, fairness, log
from leadline.app.explorer import View, Wanted
from leadline.core.errors import Invalid, NotFound
from leadline.core.record.act import Kind, to_record
from leadline.formats.manifest import encode_opening
from leadline.http.pages.frame import WAYS, Anyone, Me, Posted, Way, again
from leadline.render.fairness_page import fairness_document
from leadline.wiring import record
from leadline.wiring.log import published

ROUTES = APIRouter()
WAYS.append(Way("Log", "/log"))
WAYS.append(Way("Acts", "/log/acts", frozenset({"auditor"})))
VIEWS = {
    View.ALL: "Every act",
    View.OPENED: "Who opened what",
    View.REFUSED: "What the rules denied",
    View.DECISIONS: "Decisions and signatures",
    View.LEFT: "What left: exports, results, notices",
    View.PEOPLE: "People, keys and grants",
}
PLAIN = "text/plain; charset=utf-8"


@ROUTES.get("/log")
def log_page(visit: Anyone) -> Response:
    """The signed head, who saw it, and how to check it without believing this server."""
    parts = visit.portal.door.parts
    told = record.witnessed(parts)
    last = log.latest(record.own_eyes(parts))
    root = b64encode(last.head.root).decode() if last else ""
    return visit.page("log/log.html.j2", told=told, last=last, root=root, keys=parts.signer.vkeys())


@ROUTES.get("/log/checkpoint")
def signed_head(visit: Anyone) -> Response:
    """The head signed last, as C2SP tlog-tiles has it."""
    return _file(visit, "checkpoint")


@ROUTES.get("/log/tile/{path:path}")
def tile(path: str, visit: Anyone) -> Response:
    """A tile or an entry bundle, as C2SP tlog-tiles has them."""
    return _file(visit, f"tile/{path}")


def _file(visit: Anyone, path: str) -> Response:
    found = published(visit.portal.home, path)
    if found is None:
        raise NotFound("the published log has no such file")
    kind = PLAIN if path == "checkpoint" else "application/octet-stream"
    return Response(found, media_type=kind)


@ROUTES.get("/log/keys")
def keys(visit: Anyone) -> Response:
    """The log's verifier keys, one a line."""
    return Response(visit.portal.door.parts.signer.vkeys(), media_type=PLAIN)


@ROUTES.get("/log/policy")
def policy(visit: Anyone) -> Response:
    """The quorum file (C2SP tlog-policy) that `leadline log verify --policy` takes."""
    return Response(
        record.quorum_file(visit.portal.home, visit.portal.door.parts), media_type=PLAIN
    )


@ROUTES.get("/log/consistency")
def consistency(visit: Anyone, old: int, new: int) -> Response:
    """The hashes between two sizes of the log, for a script or a monitor."""
    found = explorer.consistency(record.own_eyes(visit.portal.door.parts), old, new)
    told = {"old": old, "new": new, "hashes": [one.hex() for one in found.hashes]}
    return Response(json.dumps(told), media_type="application/json")


@ROUTES.get("/log/acts")
def acts(me: Me) -> Response:
    """Acts, the newest first, by question, kind, person and thing."""
    found = explorer.acts(me.ctx, _wanted(me))
    return me.page(
        "log/acts.html.j2",
        found=found,
        view=me.query("view", View.ALL),
        views=VIEWS,
        kinds=[(one.value, one.value.replace(".", " ").replace("_", " ")) for one in Kind],
    )


def _wanted(me: Me) -> Wanted:
    view, before = me.query("view", View.ALL), me.query("after")
    if view not in set(View):
        raise Invalid("view", f"is one of {', '.join(View)}")
    if before and not (before.isascii() and before.isdecimal() and len(before) < 16):  # noqa: PLR2004
        raise Invalid("after", "is a place in the log")
    return Wanted(
        View(view),
        kind=me.query("kind"),
        actor=me.query("actor"),
        about=me.query("about"),
        engagement=me.query("engagement"),
        before=int(before) if before else None,
    )


@ROUTES.get("/log/acts/{act}")
def act_page(act: str, me: Me) -> Response:
    """One act, checked in this browser step by step."""
    found = explorer.one(me.ctx, act)
    return me.page(
        "log/act.html.j2",
        found=found,
        act=found.opened.act,
        record=json.dumps(to_record(found.opened.act), indent=1, sort_keys=True),
    )


@ROUTES.get("/log/acts/{act}/proof")
def proof(act: str, me: Me) -> Response:
    """The proof as a ``.tlog-proof`` file."""
    found = log.prove(me.ctx, act)
    return _download(found.text.encode(), f"{act}.tlog-proof", PLAIN)


@ROUTES.get("/log/acts/{act}/opening")
def opening(act: str, me: Me) -> Response:
    """What opens the act's entry: its record and blinder."""
    found = log.prove(me.ctx, act)
    return _download(encode_opening(found.opening), f"{act}.json", "application/json")


def _download(content: bytes, name: str, kind: str) -> Response:
    safe = "".join(one for one in name if one.isalnum() or one in "-._")
    headers = {"content-disposition": f'attachment; filename="{safe}"'}
    return Response(content, media_type=kind, headers=headers)


@ROUTES.get("/log/agreement")
def agreement(me: Me) -> Response:
    """Whether record, log, signed head and published folder agree."""
    return me.page("log/agreement.html.j2", found=explorer.agreements(me.ctx))


@ROUTES.get("/log/fairness")
def fairness_page(me: Me) -> Response:
    """The cases whose fairness can be computed."""
    found = explorer.acts(me.ctx, Wanted(kind=Kind.CASE_OPENED.value))
    return me.page("log/fairness.html.j2", cases=[one.act for one in found.acts])


@ROUTES.post("/log/fairness")
@again(fairness_page)
def fairness_report(me: Posted) -> Response:
    """The report of one case as of now: a page, or the signed file that recomputes offline."""
    case = me.form.text("case", longest=200)
    made = fairness.report(me.ctx, case)
    if me.form.text("as", "page") == "file":
        return _download(made.body, f"fairness-{case}.json", "application/json")
    trail = [("Start", "/"), ("Log", "/log"), ("Fairness", "/log/fairness"), (case, "")]
    document = fairness_document(made.report, made.counts, public=False)
    return me.page("document.html.j2", document=document, trail=trail)
