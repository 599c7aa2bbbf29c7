"""Claims about which compose files a single sandbox can stand for."""

import pytest

from leadline.core.errors import Invalid
from leadline.formats.compose import Container, NeedsEngine, read


def test_one_service_from_an_image_is_taken() -> None:
    """Image, working folder and variables are kept; what changes nothing is passed over."""
    text = b"""
services:
  default:
    image: example/tools:1.0
    init: true
    mem_limit: 2g
    working_dir: /root
    environment: {A: 1, B: null}
x-other: [1]
"""
    assert read(text, "c") == Container(
        "default", "example/tools:1.0", "/root", {"A": "1", "B": ""}
    )


def test_variables_may_be_a_list() -> None:
    """``A=1`` in a list is the same as in a mapping."""
    text = b"services: {s: {image: i, environment: ['A=1', 'B']}}"
    assert read(text, "c").environment == {"A": "1", "B": ""}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"services: {a: {image: x}, b: {image: y}}", r"2 services \(a, b\)"),
        (b"services: {a: {build: .}}", "service a has build"),
        (b"services: {a: {image: x, volumes: [v]}}", "service a has volumes"),
        (b"services: {a: {image: x, cap_add: [SYS_PTRACE]}}", "service a has cap_add"),
    ],
)
def test_the_rest_needs_a_container_engine(text: bytes, why: str) -> None:
    """What one sandbox cannot stand for says why, and what it needs."""
    with pytest.raises(NeedsEngine, match=f"{why}: needs Inspect's Docker provider"):
        read(text, "c")


@pytest.mark.parametrize("text", [b"", b"services: {}", b"services: {a: {}}", b"[1]"])
def test_what_is_no_compose_file_is_invalid(text: bytes) -> None:
    """Without a service, an image or a build there is nothing to stand for."""
    with pytest.raises(Invalid):
        read(text, "c")
