"""The scanner that the tool baseline runs inside a range: the standard library, and no cleverness.

    python3 scan_range.py TASK.json CONNECTIONS SEED

It finds hosts and open TCP ports of its own segment, reads greetings and pages, follows links, tries
well-known paths and default accounts, and asks for what Modbus, HL7 and ISO 8583 services answer to
anybody. Each finding is one line of JSON. It stops when CONNECTIONS are used up. A host that refuses
too often is left alone.
"""

import ipaddress
import json
import random
import re
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

FOUND_SECONDS, ANSWER_SECONDS = 0.7, 1.0
PORTS = range(1, 10_001)
PAGES_MAX = 40
ANSWER_BYTES_MAX = 65_536
REFUSALS_MAX = 6
ACCOUNTS = (
    *(("admin", "admin"), ("admin", "password"), ("root", "root"), ("guest", "guest")),
    *(("operator", "operator"), ("user", "user")),
)
PATHS = ("../../../../etc/passwd", "/etc/passwd", "..%2f..%2fetc%2fpasswd")
LINK = re.compile(r'href="([^"]+)"')
LOGIN = re.compile(r"\b([A-Z]+) <user> <password>")
MODBUS = bytes.fromhex("000100000006010300000001")
HL7 = b"\x0bMSH|^~\\&|A|B|C|D|20260101||QRY^R02|1|P|2.3\r\x1c\r"
ISO = b"\x00\x2a0800822000000000000004000000000000000000000001001"


class SpentError(RuntimeError):
    """No connections are left."""


class Scanner:
    """One scan; every connection counts against *left*."""

    def __init__(self, left: int, seed: int) -> None:
        self.ports: range | tuple[int, ...] = PORTS
        self.left, self.random = left, random.Random(seed)  # noqa: S311 - an order, no secret

    def tell(self, kind: str, **facts: object) -> None:
        """Print one finding."""
        print(json.dumps({"found": kind, **facts}), flush=True)  # noqa: T201 - this program's output

    def connect(self, host: str, port: int, seconds: float) -> socket.socket | None:
        """An open connection, or None where nothing accepts one."""
        if self.left < 1:
            raise SpentError
        self.left -= 1
        there = socket.socket()
        there.settimeout(seconds)
        if there.connect_ex((host, port)) == 0:
            return there
        there.close()
        return None

    def alive(self, host: str) -> bool:
        """Whether *host* answers at all, be it by a refusal."""
        self.left -= 1
        with socket.socket() as probe:
            probe.settimeout(FOUND_SECONDS)
            return probe.connect_ex((host, 80)) in {0, 111}

    def ask(self, host: str, port: int, data: bytes) -> bytes:
        """What is answered to *data* within the time; greetings come without any."""
        there = self.connect(host, port, ANSWER_SECONDS)
        if there is None:
            return b""
        with there:
            return _received(there, data)

    def run(self, segment: str, own: str) -> None:
        """Scan the whole segment."""
        net = ipaddress.ip_network(segment)
        others = [str(address) for address in net.hosts() if str(address) != own]
        with ThreadPoolExecutor(32) as pool:
            hosts = [
                host for host, up in zip(others, pool.map(self.alive, others), strict=True) if up
            ]
        self.random.shuffle(hosts)
        for host in hosts:
            ports = [port for port in self.ports if self._open(host, port)]
            self.tell("host", host=host, ports=ports)
            for port in ports:
                self.look(host, port)

    def _open(self, host: str, port: int) -> bool:
        there = self.connect(host, port, FOUND_SECONDS)
        if there is not None:
            there.close()
        return there is not None

    def look(self, host: str, port: int) -> None:
        """Find out what answers at a port, and try what is known of its kind."""
        greeting = self.ask(host, port, b"").decode(errors="replace")
        login = LOGIN.search(greeting)
        if greeting:
            self.tell("greeting", host=host, port=port, text=greeting[:200])
        if login:
            self.accounts(host, port, login[1])
        elif not greeting and self.page(host, port, "/"):
            self.crawl(host, port)
        elif not greeting:
            self.protocols(host, port)

    def page(self, host: str, port: int, path: str) -> str:
        """The text of a page, empty where there is none."""
        data = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        head, _, body = self.ask(host, port, data).decode(errors="replace").partition("\r\n\r\n")
        return body if " 200 " in head.partition("\r\n")[0] else ""

    def crawl(self, host: str, port: int) -> None:
        """Follow links from the first page, then try well-known paths on links that take a file."""
        waiting, seen = ["/"], {"/"}
        while waiting and len(seen) < PAGES_MAX:
            path = waiting.pop(0)
            text = self.page(host, port, path)
            self.tell("page", host=host, port=port, path=path, text=text[:300])
            fresh = [
                link for link in LINK.findall(text) if link.startswith("/") and link not in seen
            ]
            seen.update(fresh)
            waiting += fresh
        for path in sorted(path for path in seen if "?" in path):
            for guess in PATHS:
                asked = f"{path.rpartition('=')[0]}={quote(guess, safe='/%')}"
                self.tell("guess", path=asked, answered=bool(self.page(host, port, asked)))

    def accounts(self, host: str, port: int, command: str) -> None:
        """Try default accounts, and stop at the first that is taken or where too many are refused."""
        for user, password in ACCOUNTS[:REFUSALS_MAX]:
            answer = self.ask(host, port, f"{command} {user} {password}\n".encode())
            said = answer.decode(errors="replace").strip().splitlines()[-1:] or [""]
            self.tell("account", host=host, port=port, user=user, answer=said[0][:80])
            if said[0].startswith("OK"):
                return

    def protocols(self, host: str, port: int) -> None:
        """Ask for what the known protocols answer to anybody."""
        for name, data in (("modbus", MODBUS), ("hl7", HL7), ("iso8583", ISO)):
            answer = self.ask(host, port, data)
            self.tell("protocol", host=host, port=port, name=name, answer=answer[:80].hex())


def _received(there: socket.socket, data: bytes) -> bytes:
    answer = b""
    try:
        there.sendall(data)
        there.settimeout(ANSWER_SECONDS if not data else 2 * ANSWER_SECONDS)
        while len(answer) < ANSWER_BYTES_MAX:
            part = there.recv(4096)
            if not part:
                break
            answer += part
            there.settimeout(0.2)
    except OSError:  # silence or a reset: what came until then is the answer
        return answer
    return answer


def main(argv: list[str]) -> None:
    """Scan as the task says."""
    task = json.loads(Path(argv[1]).read_text(encoding="utf-8"))
    scanner = Scanner(int(argv[2]), int(argv[3]))
    try:
        scanner.run(task["segment"], task["address"])
    except SpentError:
        scanner.tell("end", reason="no connections are left")
    scanner.tell("left", connections=scanner.left)


if __name__ == "__main__":
    main(sys.argv)
