"""A document as PDF/UA-1: tagged, dated by the document, the same bytes for the same input.

The words travel as JSON, never as markup. Typst itself stops at a missing alternative text, title or
heading level. Only the fonts inside Typst are used, so that the machine's own do not change a byte.
"""

import json
from dataclasses import asdict
from importlib.resources import as_file, files
from typing import cast

import typst

from leadline.core.report import Json
from leadline.render.document import Document

_TEMPLATE = files("leadline.render") / "templates" / "page.typ"


def pdf(document: Document) -> bytes:
    """The document as bytes of one PDF/UA-1 file.

    Raises: typst.TypstError, if the template cannot set the document.
    """
    with as_file(_TEMPLATE) as template:
        compiler = typst.Compiler(
            template,
            root=template.parent,
            font_paths=typst.Fonts(include_system_fonts=False),
            sys_inputs={"document": json.dumps(_data(document))},
        )
        made = compiler.compile(
            format="pdf", pdf_standards="ua-1", timestamp=document.at.replace(microsecond=0)
        )
    return cast("bytes", made)  # a list comes of page images only, None of writing to a file


def _data(document: Document) -> dict[str, Json]:
    at = document.at
    return {
        **asdict(document),
        "at": {
            "year": at.year,
            "month": at.month,
            "day": at.day,
            "hour": at.hour,
            "minute": at.minute,
            "second": at.second,
        },
    }
