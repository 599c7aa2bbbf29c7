"""Published advisories: one page each, and the feed that programs read, byte for byte as it was signed."""

from fastapi import APIRouter, Response

from leadline.app import publishing
from leadline.core.errors import NotFound
from leadline.formats import advisory_page, feed
from leadline.http.pages.frame import Anyone
from leadline.wiring import feed as public

ROUTES = APIRouter()
KINDS = {
    "csaf": "CSAF 2.0",
    "openvex": "OpenVEX",
    "osv": "OSV",
    "cve": "CVE record",
    "stix": "STIX 2.1",
    "advisories": "Plain text",
}
TYPES = {
    "json": "application/json",
    "xml": "application/atom+xml",
    "html": "text/html; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
}


@ROUTES.get("/advisories")
def advisories(visit: Anyone) -> Response:
    """What is published, the latest change first."""
    return visit.page(
        "public/advisories.html.j2", found=publishing.listed(visit.portal.door.nobody())
    )


@ROUTES.get("/advisories/{advisory}")
def advisory(advisory: str, visit: Anyone) -> Response:
    """One advisory for people, with a link to each form for programs."""
    found = publishing.entry(visit.portal.door.nobody(), advisory)
    links = [
        (KINDS[path.partition("/")[0]], f"/feed/{path}")
        for path, _ in found.issued.digests
        if not path.endswith(".html")
    ]
    return visit.page(
        "public/advisory.html.j2",
        found=found.advisory,
        issued=found.issued,
        links=links,
        told=advisory_page.told(found.advisory),
        losses=feed.losses(found.advisory),
    )


@ROUTES.get("/feed/{path:path}")
def file(path: str, visit: Anyone) -> Response:
    """One file of the feed: CSAF with its provider metadata, OSV, OpenVEX, CVE, STIX, Atom, the manifest."""
    data = public.file(visit.portal.home, path or "index.html")
    if data is None:
        raise NotFound("the feed has no such file")
    kind = TYPES.get(path.rpartition(".")[2] if path else "html", "text/plain; charset=utf-8")
    return Response(data, media_type=kind)
