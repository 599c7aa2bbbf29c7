"""The exchange profile against a report of every shape: what it names is there, what it leaves is known."""

import json

from leadline.core.report import summary
from leadline.formats.document import load
from leadline.formats.exchange import differences, dump, exchanged, shared, surplus
from leadline.wiring.exchange import profile
from render.sample import model_report, report, wide_report

PROFILE = profile("uk-aisi")


def test_every_field_of_the_profile_is_in_a_report_and_the_rest_is_left_on_purpose() -> None:
    """A key renamed in `summary.json` would leave a field of the profile empty, and is noticed here."""
    made = [
        json.loads(json.dumps(summary(one))) for one in (report(), wide_report(), model_report())
    ]
    text = "".join(dump(shared(PROFILE, one)).decode() for one in made)
    for one in PROFILE.fields:
        last = one.ours.rsplit(".", 1)[-1].removesuffix("[]")
        assert f'"{last}"' in text, one.ours
    left = {place.split(".")[0].split("[")[0] for place in surplus(PROFILE, made[0])}
    assert left <= {
        "engagement",
        "regime",
        "isolation",
        "suites",
        "decision",
        "findings",
        "log",
        "scope",
        "late",
    }


def test_both_forms_of_a_whole_report_agree_value_for_value() -> None:
    """As text and back, as the receiver reads them."""
    ours = load(dump(shared(PROFILE, json.loads(json.dumps(summary(report()))))), "ours")
    theirs = load(dump(exchanged(PROFILE, ours)), "theirs")
    assert differences(PROFILE, ours, theirs) == ()
