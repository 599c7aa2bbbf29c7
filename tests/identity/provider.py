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
from ports import free_port

START_SECONDS_MAX = 60


@contextmanager
def providing() -> Iterator[Issuer]:
    """The provider's process on a free port of this machine."""
    port = free_port()
    argv = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce=1"]
    running = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    issuer = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + START_SECONDS_MAX
        while not answers(issuer):
            assert running.poll() is None, "the provider ended at once"
            assert time.monotonic() < end, "the provider does not come up"
            time.sleep(0.05)
        yield Issuer(issuer, "leadline", "a made-up secret")
    finally:
        os.kill(running.pid, signal.SIGTERM)
        running.wait()


def answers(issuer: str) -> bool:
    """Whether the provider is up."""
    host, _, port = issuer.rpartition("/")[2].partition(":")
    with socket.socket() as probe:
        if probe.connect_ex((host, int(port))):
            return False
    return httpx.get(f"{issuer}/jwks", trust_env=False, timeout=30).is_success


def consented(url: str, subject: str = "subject-1") -> str:
    """What the provider sends a browser back with, once somebody agreed there."""
    answer = httpx.post(url, data={"sub": subject}, trust_env=False)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]
