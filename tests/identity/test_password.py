"""Passwords: Argon2id at the stated cost, in turns, and as long for names that nobody has."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from identity.people import PASSWORD, QUICK
from leadline.app.sign_in import Matched
from leadline.core.errors import Invalid, Unavailable
from leadline.identity import password
from leadline.identity.password import Cost, Passwords


def test_a_password_is_matched_by_itself_alone() -> None:
    """Another one and an unknown name are no match, in whatever characters."""
    found = Passwords(QUICK)
    phc = found.new(PASSWORD)
    assert phc.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert found.matches(PASSWORD, phc) == Matched(ok=True, again=False)
    assert found.matches(PASSWORD + ".", phc) == Matched(ok=False, again=False)
    assert found._nobody.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert found.matches(PASSWORD, None) == Matched(ok=False, again=False)
    assert not found.matches("\ud800" * 12, phc).ok


def test_the_cost_is_the_lower_memory_choice_of_rfc_9106() -> None:
    """64 MiB, three passes, four lanes; a real hash says so of itself."""
    assert Cost() == Cost(memory=65_536, passes=3, lanes=4)
    assert Passwords().new(PASSWORD).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_a_hash_of_another_cost_asks_to_be_made_anew() -> None:
    """Only where the password was the right one."""
    phc, dearer = Passwords(QUICK).new(PASSWORD), Passwords(Cost(128, 1, 1))
    assert dearer.matches(PASSWORD, phc) == Matched(ok=True, again=True)
    assert dearer.matches("something else", phc) == Matched(ok=False, again=False)


@pytest.mark.parametrize("text", ["", "eleven char", "x" * 1025])
def test_a_password_of_no_length_is_invalid(text: str) -> None:
    """Twelve characters at the least, 1,024 bytes at the most."""
    with pytest.raises(Invalid, match="password"):
        Passwords(QUICK).new(text)


def test_no_more_than_four_are_computed_at_once() -> None:
    """The fifth waits for its turn, and is told to come again when there is none in time."""
    found = Passwords(QUICK, turn_seconds=0.01)
    patient = Passwords(QUICK)
    with ThreadPoolExecutor(16) as pool:
        assert len(list(pool.map(patient.new, [PASSWORD] * 32))) == 32
    taken = [threading.Thread(target=password._TURNS.acquire) for _ in range(password.AT_ONCE)]
    for one in taken:
        one.start()
        one.join()
    try:
        with pytest.raises(Unavailable, match="too many"):
            found.new(PASSWORD)
    finally:
        for _ in taken:
            password._TURNS.release()
