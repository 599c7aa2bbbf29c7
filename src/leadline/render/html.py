"""A document as one HTML file: no script, no request, one style block named by its digest.

Every word of the document is escaped by the template engine; charts stand as data URIs in `img`
elements, where a browser neither runs nor fetches anything from them.
"""

import re
from base64 import b64encode
from hashlib import sha256

from jinja2 import Environment, PackageLoader, StrictUndefined

from leadline.render.document import Document, Table

TALL = 0.65  # height by width
_TEMPLATES = Environment(
    loader=PackageLoader("leadline.render", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    auto_reload=False,
)


def html(document: Document) -> str:
    """The document as a complete page; the same document gives the same text."""
    style = _TEMPLATES.get_template("page.css").render()
    digest = b64encode(sha256(style.encode()).digest()).decode()
    page = _TEMPLATES.get_template("page.html.j2")
    return page.render(
        page=document,
        style_digest=f"sha256-{digest}",
        data_uri=_data_uri,
        links=_links,
        tall=_tall,
    )


def _data_uri(svg: str) -> str:
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"


def _tall(svg: str) -> bool:
    """Whether a chart needs more of a printed sheet than a strip of it."""
    found = re.search(r'<svg[^>]*? width="([\d.]+)" height="([\d.]+)"', svg)
    return found is not None and float(found[2]) > TALL * float(found[1])


def _links(table: Table) -> dict[str, str]:
    return dict(table.links)
