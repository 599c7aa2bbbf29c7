"""The record of an egress proof, and the addresses its canaries are tried at."""

import dataclasses
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from leadline.sandbox.canaries import sockaddr, sockaddr_unix
from leadline.sandbox.evidence import Check, Control, Evidence

EVIDENCE = Evidence(
    **{
        field.name: f"<{field.name}>"
        for field in dataclasses.fields(Evidence)
        if field.name not in {"checks", "positive_controls", "limits"}
    },
    limits={"memory": "watchdog"},
    checks=(Check("a", "1", "1", ok=True),),
    positive_controls=(Control("c", reached=True, accepted=1),),
)


@given(
    st.lists(st.booleans(), max_size=4),
    st.lists(st.tuples(st.booleans(), st.integers(0, 1)), max_size=4),
)
def test_void_comes_before_refuted_and_proved_needs_everything(
    held: list[bool], answered: list[tuple[bool, int]]
) -> None:
    """No control or a failed one: void. Else any failed check: refuted. Else proved."""
    evidence = dataclasses.replace(
        EVIDENCE,
        checks=tuple(Check(str(n), "", "", ok=ok) for n, ok in enumerate(held)),
        positive_controls=tuple(Control(str(n), *pair) for n, pair in enumerate(answered)),
    )
    controls = bool(answered) and all(reached and count for reached, count in answered)
    expected = "void" if not controls else "proved" if all(held) else "refuted"
    assert evidence.outcome == expected


def test_the_digest_covers_every_field() -> None:
    """Changing any one field of the record changes its digest."""
    for field in dataclasses.fields(Evidence):
        parts: dict[str, object] = {"checks": (), "positive_controls": (), "limits": {}}
        value: Any = parts.get(field.name, "other")
        changed = dataclasses.replace(EVIDENCE, **{field.name: value})
        assert changed.digest != EVIDENCE.digest, field.name


def test_addresses_are_the_kernels() -> None:
    """Raw addresses of both IP families and of UNIX sockets, as connect(2) takes them."""
    assert sockaddr("127.0.0.1", 258).hex() == "020001027f0000010000000000000000"
    assert sockaddr("::1", 258).hex() == "0a000102" + "00" * 4 + "00" * 15 + "01" + "00" * 4
    assert sockaddr_unix(b"/a").hex() == "01002f6100"
    assert sockaddr_unix(b"\0a").hex() == "01000061"
