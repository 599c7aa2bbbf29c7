"""From acts to events, and how deliveries are tried again."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import make
from leadline.core.attention import (
    BACK_OFF_MAX,
    OVERSEEN,
    PARKED_AFTER,
    WORDS,
    Channel,
    Event,
    Item,
    Of,
    Rhythm,
    Sending,
    Wish,
    event,
)
from leadline.core.record.act import Kind

SENDING = Sending("item-1", "ann", "case/c", Channel.MAIL, make.NOW, make.NOW)


@pytest.mark.parametrize(
    ("act", "of", "thing"),
    [
        (make.act(1, Kind.INFORMATION_ASKED), Of.ENGAGEMENT, make.ENGAGEMENT),
        (make.act(1, Kind.FIX_TESTED, about="fix-1", case="case-1"), Of.CASE, "case-1"),
        (make.act(1, Kind.CASE_MOVED, about="case-1"), Of.CASE, "case-1"),
        (make.act(1, Kind.KEY_REGISTERED, about="ann"), Of.PERSON, "ann"),
        (make.act(1, Kind.GRANT_GIVEN, about="principal/ann"), Of.PERSON, "ann"),
        (make.act(1, Kind.CREDENTIAL_ISSUED, about="cred", holder="ann"), Of.PERSON, "ann"),
        (make.act(1, Kind.APPROVAL_ASKED, about="pack/p", request="req"), Of.REQUEST, "req"),
        (make.act(1, Kind.NOTICE_SENT, about="notice-1"), Of.NOTICE, "notice-1"),
    ],
)
def test_an_event_names_the_thing(act: object, of: Of, thing: str) -> None:
    """And nothing else of the act."""
    found = event(act)  # type: ignore[arg-type]
    assert isinstance(found, Event)
    assert (found.of, found.thing) == (of, thing)
    assert found.words == WORDS[of][found.kind]


def test_most_acts_need_nobody() -> None:
    """Nor does one about nothing."""
    assert event(make.act(1, Kind.COVER)) is None
    assert event(make.act(1, Kind.MESSAGE_SENT, engagement="")) is None


@given(st.integers(0, 40), st.integers(0, 48 * 60))
def test_a_delivery_is_tried_later_and_later_then_set_aside(attempts: int, minutes: int) -> None:
    """Never at once, never later than the longest wait, and after a day no more."""
    now = make.NOW + timedelta(minutes=minutes)
    failed = replace(SENDING, attempts=attempts).failed(now, "x" * 500)
    assert timedelta() < failed.due - now <= BACK_OFF_MAX
    assert failed.parked == (failed.due > make.NOW + PARKED_AFTER)
    assert failed.attempts == attempts + 1
    assert len(failed.problem) == 200


def test_wishes_say_by_which_channel_and_when() -> None:
    """No address, no mail; once a day is at seven in the morning, UTC."""
    assert Wish("ann", rhythm=Rhythm.EACH).channels() == ()
    assert Wish("ann", "a@b.example").channels() == ()
    both = Wish("ann", "a@b.example", Rhythm.DAILY, "https://x.example/")
    assert both.channels() == (Channel.MAIL, Channel.WEBHOOK)
    assert both.due(Channel.WEBHOOK, make.NOW) == make.NOW
    assert replace(both, rhythm=Rhythm.EACH).due(Channel.MAIL, make.NOW) == make.NOW
    early = make.NOW.replace(hour=6)
    assert both.due(Channel.MAIL, early) == make.NOW.replace(hour=7, minute=0)
    assert both.due(Channel.MAIL, make.NOW) == make.NOW.replace(hour=7, minute=0) + timedelta(
        days=1
    )
    assert SENDING.id == "item-1/mail"


def test_of_a_recovery_one_is_told_whatever_one_wishes() -> None:
    """At once, by every address that is known; of nothing else."""
    never = Wish("ann", "a@b.example", Rhythm.NEVER)
    assert never.channels(Kind.RECOVERY_BEGUN) == (Channel.MAIL,)
    assert never.channels(Kind.GRANT_GIVEN) == ()
    assert never.due(Channel.MAIL, make.NOW, Kind.RECOVERY_BEGUN) == make.NOW


def test_what_is_overseen_is_said_otherwise_to_whom_it_is_not_about() -> None:
    """One's own recovery, and that of a colleague."""
    found = event(make.act(1, Kind.RECOVERY_BEGUN, about="principal/ann"))
    assert found is not None
    assert "your account" in Item("item-1", "ann", found, 0).words
    assert "of your organisation" in Item("item-2", "abe", found, 0).words
    assert OVERSEEN.keys() <= WORDS[Of.PERSON].keys()
