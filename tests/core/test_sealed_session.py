"""When keys may reach a runner, and what every report of it says."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

import make
import sealed_world as sw
from leadline.core.errors import Refused
from leadline.core.sealed import session
from leadline.core.sealed.session import (
    API_MODE,
    LABELS,
    MODES,
    Driver,
    Measurement,
    Quote,
    RunSession,
    SealedReport,
    Stage,
    check_quote,
    check_report,
    quote_record,
    statements,
)

D = sha256(b"d").hexdigest()
CHANNEL = sha256(b"channel").hexdigest()
SESSION = RunSession(
    "session-1", "pack-1", D, D, D, "family", sw.CODE, D, "custody", "simulated-tee", D, make.NOW
)
QUOTE = Quote("simulated-tee", sw.CODE, False, 7, D, "00", CHANNEL, D)  # noqa: FBT003
LOGGED = frozenset({sw.CODE})


def check(quote: Quote = QUOTE, session: RunSession = SESSION, seconds: float = 1) -> None:
    """Check after *seconds*."""
    now = make.NOW + timedelta(seconds=seconds)
    check_quote(Measurement(quote, D, CHANNEL), session, LOGGED, now, sw.limits())


def test_a_quote_that_holds_is_taken() -> None:
    """Up to the last second of the nonce."""
    check()
    check(seconds=300)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"driver": "local-process"}, "the driver is the one agreed"),
        ({"measurement": D}, "measurement is in the log"),
        ({"debug": True}, "debugging is off"),
        ({"tcb": 6}, "platform's level"),
        ({"nonce": "0" * 64}, "nonce is ours"),
        ({"bound": D}, "channel key is bound"),
        ({"commitments": "0" * 64}, "commitments are those logged"),
    ],
)
def test_each_condition_refuses_on_its_own(changed: dict[str, object], words: str) -> None:
    """One thing wrong, and no key; the refusal names it."""
    with pytest.raises(Refused, match=words):
        check(replace(QUOTE, **changed))  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [-1, 301])
def test_a_stale_nonce_or_a_clock_set_back_refuses(seconds: float) -> None:
    """Fresh is from now on for the seconds that are set."""
    with pytest.raises(Refused, match="nonce is fresh"):
        check(seconds=seconds)


def test_logged_code_of_another_pack_does_not_do() -> None:
    """The measurement must be what this session committed to."""
    with pytest.raises(Refused, match="the code committed to"):
        check(session=replace(SESSION, code=D))


def test_a_platform_without_a_level_needs_none() -> None:
    """The local driver has no trusted base whose level could be asked."""
    local = replace(SESSION, driver="local-process")
    check(replace(QUOTE, driver="local-process", tcb=0), local)


def test_stages_come_in_order() -> None:
    """Each stage is refused where another is due, by both names."""
    Stage.QUOTED.require(Stage.QUOTED, "release")
    with pytest.raises(Refused, match="release comes after quoted; this session is new"):
        Stage.NEW.require(Stage.QUOTED, "release")


@pytest.mark.parametrize("driver", ["local-process", "simulated-tee"])
@pytest.mark.parametrize("mode", ["api", "custody", "enclave", "self", "opened"])
def test_no_report_goes_without_its_sentences(driver: Driver, mode: str) -> None:
    """Every driver says that it protects nothing; API mode says who sees the prompts."""
    said = statements(driver, mode)  # type: ignore[arg-type]
    assert said[0] == LABELS[driver]
    assert "NO HARDWARE PROTECTION" in said[0]
    assert (API_MODE in said) == (mode == "api")
    assert len(said) == (2 if mode in MODES else 1)
    assert "items were secret" not in " ".join(said).lower()
    assert QUOTE.label == LABELS["simulated-tee"]


def report(**changed: object) -> SealedReport:
    """A report of six items."""
    said = statements("local-process", "api")
    base = SealedReport("v", "s", D, D, "local-process", "api", said, 6, 1, 5, D, D, D)
    return replace(base, **changed)  # type: ignore[arg-type]


def test_a_report_that_leaves_out_its_sentences_does_not_leave() -> None:
    """Nor one whose counts do not add up."""
    check_report(report())
    for wrong in (
        {"says": ()},
        {"solved": 6},
        {"ours": -1, "solved": 0},
        {"solved": -1},
        {"ours": 7},
    ):
        with pytest.raises(Refused, match="add up"):
            check_report(report(**wrong))


def test_what_a_quote_signs_is_all_but_its_signature() -> None:
    """The channel stands there by its digest."""
    assert set(quote_record(QUOTE)) == set(Quote.__slots__) - {"channel", "signature"} | {"v"}


def test_no_text_of_leadline_promises_secrecy() -> None:
    """The words that a report of a run in API mode may never contain stand nowhere in the package."""
    root = Path(session.__file__).parents[2]
    texts = [path for path in root.rglob("*") if path.suffix in {".py", ".html", ".toml", ".jinja"}]
    assert texts
    said = [path.name for path in texts if "items were secret" in path.read_text("utf-8").lower()]
    assert said == []
