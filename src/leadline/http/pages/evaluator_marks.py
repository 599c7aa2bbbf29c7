"""Attempts that are marked invalid, disputed, taken back or made again: each by a person, with a reason."""

from urllib.parse import quote, urlencode

from fastapi import APIRouter, Response

from leadline.app import marks
from leadline.http.pages.evaluator import RUN, assessment_of, sample
from leadline.http.pages.frame import SAID, Posted, again
from leadline.wiring import assessments

ROUTES = APIRouter()
SAID["sample-marked"] = (
    "The attempt is marked. What was sealed stays; figures are shown with and without it."
)
SAID["mark-disputed"] = "Your dissent stands beside the mark."
SAID["mark-withdrawn"] = (
    "The mark was taken back: the attempt counts again. That it was marked stays."
)
SAID["sample-retried"] = "The attempt is made once more. The lost one stays."
ATTEMPT = RUN + "/samples/{item:path}/{epoch}"
REASON_MAX = 2_000


@ROUTES.post(ATTEMPT + "/marks")
@again(sample)
def mark(which: str, item: str, epoch: int, me: Posted) -> Response:
    """Say that an attempt is no evidence, and why."""
    found, subject = assessment_of(me, which), me.form.text("subject", longest=300)
    reason = me.form.text("reason", longest=REASON_MAX)
    marks.mark(me.ctx, found.on, subject, item, epoch, reason)
    return me.go(_path(which, item, epoch, subject), said="sample-marked")


@ROUTES.post(ATTEMPT + "/retries")
@again(sample)
def retry(which: str, item: str, epoch: int, me: Posted) -> Response:
    """Have an attempt that our own side lost made once more, while its run goes on."""
    found, subject = assessment_of(me, which), me.form.text("subject", longest=300)
    assessments.retry(me.desk, found, subject, item, epoch, me.form.text("why", longest=REASON_MAX))
    return me.go(_path(which, item, epoch, subject), said="sample-retried")


@ROUTES.post(ATTEMPT + "/marks/{mark_id}/dissents")
@again(sample)
def dissent(which: str, item: str, epoch: int, mark_id: str, me: Posted) -> Response:
    """Say that a marked attempt is evidence all the same."""
    reason = me.form.text("dissent", longest=REASON_MAX)
    told = marks.dissent(me.ctx, assessment_of(me, which).on, mark_id, reason)
    return me.go(_path(which, item, epoch, told.subject), said="mark-disputed")


@ROUTES.post(ATTEMPT + "/marks/{mark_id}/withdrawals")
@again(sample)
def take_back(which: str, item: str, epoch: int, mark_id: str, me: Posted) -> Response:
    """Take a mark back, with a reason."""
    reason = me.form.text("back", longest=REASON_MAX)
    told = marks.take_back(me.ctx, assessment_of(me, which).on, mark_id, reason)
    return me.go(_path(which, item, epoch, told.subject), said="mark-withdrawn")


def _path(which: str, item: str, epoch: int, subject: str) -> str:
    query = urlencode({"subject": subject})
    return f"/engagements/{which}/assessment/samples/{quote(item, safe='')}/{epoch}?{query}"
