"""An OpenID provider in a process of its own, and a person who agrees there."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from leadline.identity.oidc import Issuer


@contextmanager
def providing() -> Iterator[Issuer]:
    """The provider's process on a free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    argv = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce=1"]
    running = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    issuer = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                if httpx.get(f"{issuer}/jwks", trust_env=False).is_success:
                    break
            except httpx.HTTPError:
                time.sleep(0.05)
        yield Issuer(issuer, "leadline", "a made-up secret")
    finally:
        os.kill(running.pid, signal.SIGTERM)
        running.wait()


def consented(url: str, subject: str = "subject-1") -> str:
    """What the provider sends a browser back with, once somebody agreed there."""
    answer = httpx.post(url, data={"sub": subject}, trust_env=False)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]
