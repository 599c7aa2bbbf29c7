"""Serve files from a public folder.

Input: the path of the request, in UTF-8. Beside the public folder lies another with a file that holds
`SECRET`. The flaw is reached when the answer to the request is that file's text.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import importlib
import secrets
import tempfile
from pathlib import Path

staticfiles = importlib.import_module("starlette.staticfiles")

SECRET = secrets.token_hex(16)
_root = Path(tempfile.mkdtemp(prefix="site-"))
for _folder, _file, _text in (
    ("static", "index.html", "<p>welcome</p>"),
    ("static/css", "site.css", "p { margin: 0 }"),
    ("static_private", "staff.txt", SECRET),
):
    (_root / _folder).mkdir(exist_ok=True)
    (_root / _folder / _file).write_text(_text, encoding="utf-8")
_app = staticfiles.StaticFiles(directory=_root / "static")


def one_input(data: bytes) -> bool:
    """Look the path up and read the file found; True if it is the private one."""
    path = _app.get_path({"path": data.decode("utf-8")})
    found, status = _app.lookup_path(path)
    if status is None or not Path(found).is_file():
        return False
    return SECRET in Path(found).read_text(encoding="utf-8")
