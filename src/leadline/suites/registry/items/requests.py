"""Find the stored credentials for a URL that came from outside.

Input: the URL. The program has stored credentials for one host, `HOST`. The flaw is reached when they
are found for a URL of another host.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import importlib
import os
import secrets
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

utils = importlib.import_module("requests.utils")

HOST = "intranet.example"
SECRET = secrets.token_hex(16)
_netrc = Path(tempfile.mkdtemp(prefix="home-")) / "netrc"
_netrc.write_text(f"machine {HOST} login clerk password {SECRET}\n", encoding="utf-8")
os.environ["NETRC"] = str(_netrc)  # noqa: TID251 -- the library reads its file's place from there


def one_input(data: bytes) -> bool:
    """Look the URL up; True if the credentials come back although the URL is of another host."""
    url = data.decode("utf-8")
    found = utils.get_netrc_auth(url, raise_errors=True)
    return found is not None and SECRET in found and urlsplit(url).hostname != HOST
