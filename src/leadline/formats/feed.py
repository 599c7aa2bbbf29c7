"""The public feed: every published advisory in every format, as the files of one folder.

The same advisories give the same bytes; no file depends on when it is made. What the formats cannot say stands in
``losses.json``. A signed note binds the manifest of all files to the site and to a number that only grows.
Sources: CSAF 2.0 section 7.1 (directory and ROLIE feeds, changes.csv, provider-metadata.json); RFC 8322 (ROLIE);
RFC 4287 (Atom); C2SP signed-note.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256, sha512
from xml.sax.saxutils import escape

from leadline.core.clearing.advisory import Advisory
from leadline.core.errors import Invalid
from leadline.core.marking import Tlp
from leadline.formats import advisory_page, csaf, cve, openvex, osv_out, stix
from leadline.formats.csaf_out import dump, stamp
from leadline.formats.document import value
from leadline.formats.saying import Loss, losses_of_csaf

FORMAT = "feed"
HEADER = "leadline/feed/v1"
FOLDER = "csaf/white"
ROLIE = f"{FOLDER}/csaf-feed-tlp-white.json"
EMPTY = "1970-01-01T00:00:00Z"
_SITE = re.compile(r"https://[A-Za-z0-9.-]+(:\d+)?(/[A-Za-z0-9._~-]+)*/?")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_STAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
_SCHEMA = "https://docs.oasis-open.org/csaf/csaf/v2.0/csaf_json_schema.json"
Json = dict[str, object]


def renderings(advisory: Advisory) -> dict[str, bytes]:
    """Every document of one advisory, by its path in the feed.

    Raises: Invalid, for a score that is none.
    """
    name = csaf.file_name(advisory)
    found = {_csaf_path(advisory): csaf.render(advisory), f"stix/{name}": stix.render(advisory)}
    vex = openvex.render(advisory)
    if vex:
        found[f"openvex/{name}"] = vex
    found |= {f"osv/{one}.json": data for one, data in osv_out.render(advisory).items()}
    found |= {f"cve/{one}.json": data for one, data in cve.render(advisory).items()}
    page = name.removesuffix(".json")
    found[f"advisories/{page}.html"] = advisory_page.html(advisory)
    found[f"advisories/{page}.txt"] = advisory_page.text(advisory)
    return found


def losses(advisory: Advisory) -> tuple[Loss, ...]:
    """What some format cannot say of this advisory."""
    return (
        *losses_of_csaf(advisory),
        *openvex.losses(advisory),
        *osv_out.losses(advisory),
        *cve.losses(advisory),
        *stix.losses(advisory),
    )


def files(advisories: Sequence[Advisory], site: str) -> dict[str, bytes]:
    """Every file of the feed by path, manifest and signature apart. *site* is where it will be served.

    Raises: Invalid, if *site* is no https address, an advisory is not marked TLP:CLEAR, or two would
    write the same file.
    """
    base = check_site(site)
    held = sorted(advisories, key=lambda one: one.id)
    found: dict[str, bytes] = {}
    for advisory in held:
        if advisory.tlp is not Tlp.CLEAR:
            raise Invalid(advisory.id, f"is marked {advisory.tlp.value}; the feed is for everybody")
        for path, data in renderings(advisory).items():
            if path in found:
                raise Invalid(advisory.id, f"{path} is another advisory's already; revise that one")
            found[path] = data
    records = [value(data, path) for path, data in sorted(found.items()) if path.startswith("osv/")]
    found["osv/all.json"] = dump({"vulns": records})
    found |= _csaf_files(held, found, base)
    found["atom.xml"] = _atom(held, base)
    found["index.html"] = _index(held)
    found["losses.json"] = dump(
        {
            one.id: [
                {"format": loss.format, "package": loss.package, "why": loss.why}
                for loss in losses(one)
            ]
            for one in held
        }
    )
    return found


def check_site(site: str) -> str:
    """The address without its last slash.

    Raises: Invalid, if it is no plain https address.
    """
    if not _SITE.fullmatch(site):
        raise Invalid("site", f"{site!r:.80} is no https address, such as https://feeds.example/x")
    return site.removesuffix("/")


def newest(advisories: Sequence[Advisory]) -> str:
    """The moment of the last change of any advisory."""
    return max((stamp(one.revisions[-1].at) for one in advisories), default=EMPTY)


@dataclass(frozen=True, slots=True)
class Head:
    """What the signers of a feed say. *serial* grows with every publication and withdrawal."""

    site: str
    serial: int
    at: str
    manifest: str  # SHA-256 of manifest.json in hex

    @property
    def text(self) -> str:
        """The note text; its first line keeps it from being read as anything else."""
        lines = (HEADER, self.site, str(self.serial), self.at, self.manifest)
        return "".join(f"{line}\n" for line in lines)


def parse_head(text: str) -> Head:
    """What a note's *text* says of a feed.

    Raises: Invalid, if it is not exactly in this form.
    """
    header, *rest = text.removesuffix("\n").split("\n")
    if header != HEADER or len(rest) != 4:  # noqa: PLR2004 -- the lines of `Head.text`
        raise Invalid("feed", f"`{HEADER}`, site, serial, moment and a digest are due")
    site, serial, at, digest = rest
    numbered = serial.isdecimal() and serial.isascii() and len(serial) <= 18  # noqa: PLR2004
    if not numbered or not _STAMP.fullmatch(at) or not _DIGEST.fullmatch(digest):
        raise Invalid("feed", "a serial number, a moment in UTC and a digest are due")
    head = Head(check_site(site), int(serial), at, digest)
    if head.text != text:
        raise Invalid("feed", "five lines are due, each spelled in one way")
    return head


def _csaf_path(advisory: Advisory) -> str:
    return f"{FOLDER}/{advisory.revisions[0].at.year}/{csaf.file_name(advisory)}"


def _csaf_files(
    held: Sequence[Advisory], found: Mapping[str, bytes], base: str
) -> Iterator[tuple[str, bytes]]:
    """What CSAF asks of a provider, section 7.1: digests, index, changes, ROLIE feed, metadata."""
    paths = {_csaf_path(one): one for one in held}
    for path in paths:
        name = path.rpartition("/")[2]
        for kind, digest in (("sha256", sha256), ("sha512", sha512)):
            yield f"{path}.{kind}", f"{digest(found[path]).hexdigest()}  {name}\n".encode()
    short = {path.removeprefix(f"{FOLDER}/"): one for path, one in paths.items()}
    yield f"{FOLDER}/index.txt", "".join(f"{path}\n" for path in sorted(short)).encode()
    dated = sorted(
        ((stamp(one.revisions[-1].at), path) for path, one in short.items()), reverse=True
    )
    yield f"{FOLDER}/changes.csv", "".join(f'"{path}","{at}"\n' for at, path in dated).encode()
    yield ROLIE, dump(_rolie(paths, base, newest(held)))
    yield "csaf/provider-metadata.json", dump(_provider(held, base))


def _provider(held: Sequence[Advisory], base: str) -> Json:
    first = held[0] if held else None
    return {
        "canonical_url": f"{base}/csaf/provider-metadata.json",
        "distributions": [
            {"directory_url": f"{base}/{FOLDER}/"},
            {
                "rolie": {
                    "feeds": [
                        {"summary": "Published", "tlp_label": "WHITE", "url": f"{base}/{ROLIE}"}
                    ]
                }
            },
        ],
        "last_updated": newest(held),
        "list_on_CSAF_aggregators": False,
        "metadata_version": "2.0",
        "mirror_on_CSAF_aggregators": False,
        "publisher": {
            "category": "coordinator",
            "name": first.publisher if first else "Leadline",
            "namespace": first.namespace if first else base,
        },
        "role": "csaf_provider",
    }


def _rolie(paths: Mapping[str, Advisory], base: str, updated: str) -> Json:
    entries = []
    for path, one in sorted(paths.items()):
        url = f"{base}/{path}"
        links = [{"rel": "self", "href": url}]
        links += [{"rel": "hash", "href": f"{url}.{kind}"} for kind in ("sha256", "sha512")]
        entries.append(
            {
                "id": one.id,
                "title": one.title,
                "link": links,
                "published": stamp(one.revisions[0].at),
                "updated": stamp(one.revisions[-1].at),
                "content": {"src": url, "type": "application/json"},
                "format": {"schema": _SCHEMA, "version": "2.0"},
            }
        )
    return {
        "feed": {
            "id": "csaf-feed-tlp-white",
            "title": "Published advisories (TLP:CLEAR, in CSAF 2.0 TLP:WHITE)",
            "link": [{"rel": "self", "href": f"{base}/{ROLIE}"}],
            "category": [
                {"scheme": "urn:ietf:params:rolie:category:information-type", "term": "csaf"}
            ],
            "updated": updated,
            "entry": entries,
        }
    }


def _page_of(advisory: Advisory) -> str:
    return f"advisories/{csaf.file_name(advisory).removesuffix('.json')}.html"


def _atom(held: Sequence[Advisory], base: str) -> bytes:
    lines = [
        "<?xml version='1.0' encoding='utf-8'?>",
        "<feed xmlns='http://www.w3.org/2005/Atom'>",
        f"<id>{base}/atom.xml</id><title>Published advisories</title>",
        f"<link rel='self' href='{base}/atom.xml'/><updated>{newest(held)}</updated>",
        "<author><name>Leadline</name></author>",
    ]
    for one in sorted(held, key=lambda a: (a.revisions[-1].at, a.id), reverse=True):
        url = f"{base}/{_page_of(one)}"
        title = f"Withdrawn: {one.title}" if one.withdrawn else one.title
        lines += [
            f"<entry><id>{url}</id><title>{_xml(title)}</title><link href='{url}'/>",
            f"<published>{stamp(one.revisions[0].at)}</published>",
            f"<updated>{stamp(one.revisions[-1].at)}</updated>",
            f"<summary>{_xml(one.revisions[-1].summary)}</summary></entry>",
        ]
    return ("\n".join((*lines, "</feed>")) + "\n").encode()


def _xml(words: str) -> str:
    """The words without what XML 1.0 cannot hold."""
    return escape("".join(one if one.isprintable() else " " for one in words))


def _index(held: Sequence[Advisory]) -> bytes:
    rows = [
        f"<p><a href='{_page_of(one)}'>{_xml(one.id)}</a> "
        f"{'Withdrawn: ' if one.withdrawn else ''}{_xml(one.title)}, "
        f"{advisory_page.moment(one.revisions[-1].at)}</p>"
        for one in held
    ]
    told = rows or ["<p>Nothing has been published yet.</p>"]
    return advisory_page.page("Published advisories", ["<h1>Published advisories</h1>", *told])
