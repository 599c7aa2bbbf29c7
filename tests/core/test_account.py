"""Sessions, credentials, challenges, invitations and waiting: what counts at which moment."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import make
from leadline.core import account
from leadline.core.account import (
    Challenge,
    Credential,
    Failures,
    Invitation,
    RegisteredKey,
    Session,
)
from leadline.core.errors import Invalid

SECOND = timedelta(seconds=1)
KEY = RegisteredKey("key-1", "ann", "key", "", make.NOW)
SESSION = Session(
    "session-1",
    "ann",
    "",
    "",
    frozenset({"password"}),
    confined=False,
    started=make.NOW,
    seen=make.NOW,
)
CREDENTIAL = Credential(
    "credential-1",
    "ann",
    "",
    frozenset({"engagement:read"}),
    make.ENGAGEMENT,
    "jkt:" + "a" * 43,
    make.NOW,
    make.NOW + timedelta(days=30),
)


def test_a_key_counts_from_its_registration_until_its_end() -> None:
    """Both ends are exact: registered at that instant, no longer at the instant it ended."""
    ended = replace(KEY, ended=make.NOW + SECOND)
    assert KEY.held(make.NOW)
    assert not KEY.held(make.NOW - SECOND)
    assert ended.held(make.NOW)
    assert not ended.held(make.NOW + SECOND)


@pytest.mark.parametrize(
    ("methods", "level"),
    [
        ((), 1),
        (("password",), 1),
        (("key",), 1),
        (("invitation",), 1),
        (("password", "key"), 2),
        (("oidc", "password"), 2),
        (("webauthn",), 3),
        (("certificate",), 3),
        (("password", "webauthn"), 3),
    ],
)
def test_assurance_counts_different_factors_and_what_cannot_be_phished(
    methods: tuple[str, ...], level: int
) -> None:
    """Two of one kind are one; a passkey or a card is worth the most."""
    assert account.assurance((*methods, *methods)) == level


@pytest.mark.parametrize(
    ("session", "after", "why"),
    [
        (SESSION, timedelta(0), ""),
        (SESSION, account.IDLE - SECOND, ""),
        (SESSION, account.IDLE, "idle"),
        (replace(SESSION, confined=True), account.IDLE_CONFINED - SECOND, ""),
        (replace(SESSION, confined=True), account.IDLE_CONFINED, "idle"),
        (replace(SESSION, seen=make.NOW + account.LONGEST), account.LONGEST, "eight hours"),
        (replace(SESSION, ended=make.NOW), timedelta(0), "ended"),
        (SESSION, -SECOND, "clock was set back"),
    ],
)
def test_a_session_ends_when_idle_when_old_and_when_it_is_ended(
    session: Session, after: timedelta, why: str
) -> None:
    """Compartments make idleness short; eight hours are the most; a clock set back ends it too."""
    found = session.over(make.NOW + after)
    assert (why in found) if why else found == ""


@given(minutes=st.lists(st.integers(0, 119), max_size=40))
def test_no_activity_keeps_a_session_beyond_eight_hours(minutes: list[int]) -> None:
    """However often it is seen."""
    now, session = make.NOW, SESSION
    for step in minutes:
        now += timedelta(minutes=step)
        if not session.over(now):
            session = replace(session, seen=now)
    assert session.seen < SESSION.started + account.LONGEST


@pytest.mark.parametrize(
    ("credential", "after", "why"),
    [
        (CREDENTIAL, timedelta(0), ""),
        (CREDENTIAL, timedelta(days=30), "run out"),
        (CREDENTIAL, -SECOND, "clock was set back"),
        (replace(CREDENTIAL, ended=make.NOW), timedelta(0), "revoked"),
    ],
)
def test_a_credential_ends(credential: Credential, after: timedelta, why: str) -> None:
    """At its last day, when revoked, and when the clock is set back."""
    found = credential.over(make.NOW + after)
    assert (why in found) if why else found == ""


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"scopes": frozenset()}, "scopes"),
        ({"scopes": frozenset({"engagement:devour"})}, "scopes"),
        ({"engagement": ""}, "engagement"),
        ({"expires": make.NOW}, "expires"),
        ({"expires": make.NOW + timedelta(days=30, seconds=1)}, "expires"),
        ({"binding": ""}, "binding"),
        ({"binding": "jkt:short"}, "binding"),
        ({"binding": "name:" + "a" * 43}, "binding"),
    ],
)
def test_a_credential_is_narrow_short_and_bound(changed: dict[str, object], field: str) -> None:
    """No scope, an unknown one, no engagement, more than 30 days or no key: refused by name."""
    with pytest.raises(Invalid) as refused:
        account.check_credential(replace(CREDENTIAL, **changed))  # type: ignore[arg-type]
    assert refused.value.field == field


def test_a_credential_as_it_should_be_passes_the_check() -> None:
    """Thirty days to the second, either kind of binding."""
    account.check_credential(CREDENTIAL)
    account.check_credential(replace(CREDENTIAL, binding="x5t#S256:" + "_" * 43))


def test_a_challenge_is_for_one_purpose_and_a_short_time() -> None:
    """From its instant until its end, and never for anything else."""
    made = Challenge("c", "sign-in", "00", make.NOW, make.NOW + account.CHALLENGE_LIFE)
    assert made.over("sign-in", make.NOW) == ""
    assert "something else" in made.over("register", make.NOW)
    assert "run out" in made.over("sign-in", make.NOW + account.CHALLENGE_LIFE)
    assert "run out" in made.over("sign-in", make.NOW - SECOND)


def test_an_invitation_counts_once_from_its_day_on_for_a_week() -> None:
    """A recovery's day is tomorrow; used, called off or old, it counts no more."""
    made = Invitation("i", "ann", "", make.NOW, make.NOW + account.RECOVERY_DELAY, recovery=True)
    assert "counts from" in made.over(made.due - SECOND)
    assert made.over(made.due) == ""
    assert "run out" in made.over(made.due + account.INVITATION_LIFE)
    assert "used" in replace(made, ended=make.NOW).over(made.due)


def test_waiting_doubles_and_is_forgotten_after_a_day() -> None:
    """Five attempts cost nothing; the sixth failure costs two seconds, then four, then eight."""
    waits = [
        account.delay(Failures("a", count, make.NOW), 5, make.NOW).total_seconds()
        for count in (0, 4, 5, 6, 7, 8)
    ]
    assert waits == [0, 0, 1, 2, 4, 8]
    assert account.delay(None, 5, make.NOW) == timedelta()
    later = make.NOW + account.FORGOTTEN
    assert account.delay(Failures("a", 99, make.NOW), 5, later) == timedelta()
    assert account.counted(Failures("a", 99, make.NOW), "a", later).count == 1
    assert account.counted(None, "a", make.NOW) == Failures("a", 1, make.NOW)
    assert account.counted(Failures("a", 2, make.NOW), "a", make.NOW).count == 3


@given(
    count=st.integers(0, 10**9),
    free=st.integers(0, 100),
    offset=st.integers(-(10**7), 10**7),
)
def test_waiting_never_locks_for_good(count: int, free: int, offset: int) -> None:
    """However many attempts failed and however the clock moves, it is a quarter of an hour at most."""
    failures = Failures("a", count, make.NOW)
    now = make.NOW + timedelta(seconds=offset)
    wait = account.delay(failures, free, now)
    assert timedelta() <= wait <= account.DELAY_LONGEST
    if offset >= account.DELAY_LONGEST.total_seconds():
        assert wait == timedelta()


def test_no_secret_shows_in_what_is_printed() -> None:
    """The hashes of secrets stay out of diagnostics."""
    shown = repr(replace(SESSION, secret="s3cret", csrf="c5rf")) + repr(
        replace(CREDENTIAL, secret="s3cret")
    )
    assert "s3cret" not in shown
    assert "c5rf" not in shown
