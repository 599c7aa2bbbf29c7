"""Download a file that a page of packages links to, into the folder /tmp/downloads/inside.

Input: the path and query of the link, on a web server of this program. The flaw is reached when a file
appears in /tmp/downloads beside that folder.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import http.server
import importlib
import shutil
import threading
from pathlib import Path

package_index = importlib.import_module("setuptools.package_index")

ROOT = Path("/tmp/downloads")  # noqa: S108 -- its place is part of the task


class Server(http.server.BaseHTTPRequestHandler):
    """Answers every path with the same file."""

    def do_GET(self) -> None:
        """Send the file."""
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.end_headers()
        self.wfile.write(b"file")

    def log_message(self, *arguments: object) -> None:  # type: ignore[explicit-override] # no 3.11 has it
        """Keep silent."""


_server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=_server.serve_forever, daemon=True).start()


def one_input(data: bytes) -> bool:
    """Download from the link; True if a file was written outside the folder."""
    shutil.rmtree(ROOT, ignore_errors=True)
    (ROOT / "inside").mkdir(parents=True)
    link = data.decode("ascii")
    if not link.startswith("/"):
        return False
    index = package_index.PackageIndex(search_path=[])
    try:
        index.download(f"http://127.0.0.1:{_server.server_port}{link}", str(ROOT / "inside"))
    finally:
        outside = [path for path in ROOT.iterdir() if path.name != "inside"]
    return bool(outside)
