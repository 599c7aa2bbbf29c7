"""pip-audit and cve-bin-tool on one inventory, with databases made of the same advisories.

Neither is part of the product. pip-audit asks a service for each package: here a loopback service that
answers from the advisories by package and listed release, so its matching is partly ours. cve-bin-tool
gets its SQLite database filled from the advisories' ranges. What cannot be had says why.
"""

import contextlib
import json
import re
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from typing_extensions import override

TIMEOUT_S = 300
Texts = tuple[list[str], list[str]]


class UnavailableError(Exception):
    """The tool cannot be measured here, and why."""


def peak_mib() -> float:
    """The largest resident size of this process so far."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) / 1024


def timed(
    argv: Sequence[str], folder: Path, env: Mapping[str, str] | None = None
) -> tuple[float, str]:
    """Seconds by the wall clock and what the command printed."""
    begun = time.perf_counter()
    done = subprocess.run(
        argv, cwd=folder, env=env, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    seconds = time.perf_counter() - begun
    if not done.stdout.strip():
        raise UnavailableError(f"it printed nothing: {done.stderr.strip()[-200:]}")
    return seconds, done.stdout


def _program(rivals: Path | None, name: str) -> str:
    if rivals is None or not (rivals / "bin" / name).is_file():
        raise UnavailableError("not installed; give --rivals a virtual environment that holds it")
    return str(rivals / "bin" / name)


@contextlib.contextmanager
def _service(documents: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A service on loopback that answers OSV's /v1/query from *documents*."""
    entries: dict[str, list[Mapping[str, Any]]] = {}
    for document in documents:
        for entry in document["affected"]:
            if entry["package"]["ecosystem"] == "PyPI" and "withdrawn" not in document:
                name = canonicalize_name(entry["package"]["name"])
                entries.setdefault(name, []).append(document)

    class Handler(BaseHTTPRequestHandler):
        """Answers one query."""

        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """What lists the release."""
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            held = entries.get(canonicalize_name(asked["package"]["name"]), [])
            found = [d for d in held if asked["version"] in d["affected"][0].get("versions", ())]
            data = json.dumps({"vulns": found} if found else {}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/query"
    finally:
        server.shutdown()


def pip_audit(
    rivals: Path | None, work: Path, documents: Sequence[Mapping[str, Any]], texts: Texts
) -> tuple[float, int]:
    """Seconds and number of advisories that pip-audit finds."""
    program = _program(rivals, "pip-audit")
    lines = [
        f"{package.rpartition('/')[2]}=={version}" for package, version in zip(*texts, strict=True)
    ]
    (work / "requirements.txt").write_text("\n".join(lines))
    argv = [program, "-r", "requirements.txt", "--no-deps", "--disable-pip", "-f", "json"]
    argv += ["--progress-spinner", "off", "--vulnerability-service", "osv"]
    with _service(documents) as address:
        seconds, printed = timed([*argv, "--osv-url", address], work)
    told = json.loads(printed)
    found = {
        one["id"] for dependency in told["dependencies"] for one in dependency.get("vulns", ())
    }
    return seconds, len(found)


# The tables of cve-bin-tool 3.4 that its offline mode opens.
_TABLES = """
CREATE TABLE cve_severity (cve_number TEXT, severity TEXT, description TEXT, score INTEGER,
  cvss_version INTEGER, cvss_vector TEXT, data_source TEXT, last_modified TIMESTAMP,
  PRIMARY KEY(cve_number, data_source));
CREATE TABLE cve_range (cve_number TEXT, vendor TEXT, product TEXT, version TEXT,
  versionStartIncluding TEXT, versionStartExcluding TEXT, versionEndIncluding TEXT,
  versionEndExcluding TEXT, data_source TEXT);
CREATE TABLE cve_exploited (cve_number TEXT, product TEXT, description TEXT, PRIMARY KEY(cve_number));
CREATE TABLE cve_metrics (cve_number TEXT, metric_id INTEGER, metric_score REAL, metric_field TEXT);
CREATE TABLE metrics (metrics_id INTEGER, metrics_name TEXT, PRIMARY KEY(metrics_id));
CREATE TABLE mismatch (purl TEXT, vendor TEXT, PRIMARY KEY (purl, vendor));
CREATE TABLE purl2cpe (purl TEXT, cpe TEXT, UNIQUE(purl,cpe));
CREATE INDEX product_index ON cve_range (cve_number, vendor, product);
CREATE INDEX product_vendor_index ON cve_range (product, vendor);
CREATE INDEX purl2cpe_index ON purl2cpe (purl);
"""


def _filled(path: Path, documents: Sequence[Mapping[str, Any]]) -> None:
    """A database of every Python advisory: its stretches and its listed releases, as rows."""
    with contextlib.closing(sqlite3.connect(path)) as base:
        base.executescript(_TABLES)
        for document in documents:
            entry = document["affected"][0]
            if entry["package"]["ecosystem"] != "PyPI" or "withdrawn" in document:
                continue
            name, ident = canonicalize_name(entry["package"]["name"]), document["id"]
            severity = (ident, "HIGH", "", 7, 3, "unknown", "OSV", "2024-01-01T00:00:00")
            base.execute("INSERT INTO cve_severity VALUES (?,?,?,?,?,?,?,?)", severity)
            rows = [(version, "", "", "") for version in entry.get("versions", ())]
            for held in entry.get("ranges", ()):
                rows += [("*", *one) for one in _stretches(held)]
            base.executemany(
                "INSERT INTO cve_range VALUES (?,'sample',?,?,?,'',?,?,'OSV')",
                [(ident, name, *row) for row in rows],
            )
            purl = (f"pkg:pypi/{name}", f"cpe:2.3:a:sample:{name}:*:*:*:*:*:*:*:*")
            base.execute("INSERT OR IGNORE INTO purl2cpe VALUES (?,?)", purl)
        base.commit()


def _stretches(held: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Beginning, last included and first excluded of each stretch of a range of versions."""
    begun = ""
    for event in held["events"] if held["type"] == "ECOSYSTEM" else ():
        begun = event.get("introduced", begun)
        if "fixed" in event or "last_affected" in event:
            yield begun, event.get("last_affected", ""), event.get("fixed", "")


def cve_bin_tool(
    rivals: Path | None, work: Path, documents: Sequence[Mapping[str, Any]], texts: Texts
) -> tuple[float, int]:
    """Seconds, filling the database included, and number of advisories that cve-bin-tool finds offline."""
    del texts
    program = _program(rivals, "cve-bin-tool")
    cache = work / ".cache" / "cve-bin-tool"
    cache.mkdir(parents=True)
    begun = time.perf_counter()
    _filled(cache / "cve.db", documents)
    filling = time.perf_counter() - begun
    argv = [program, "--offline", "--sbom", "cyclonedx", "--sbom-file", "bom.json"]
    argv += ["-f", "json", "-o", "found.json"]
    env = {"HOME": str(work), "PATH": "/usr/bin:/bin"}
    begun = time.perf_counter()
    done = subprocess.run(
        argv, cwd=work, env=env, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    seconds = filling + time.perf_counter() - begun
    if not (work / "found.json").is_file():
        words = " ".join((done.stderr or done.stdout).split())[-200:]
        raise UnavailableError(f"it wrote no report: {words}")
    told = json.loads((work / "found.json").read_bytes())
    return seconds, len({one["cve_number"] for one in told if one["cve_number"] != "UNKNOWN"})
