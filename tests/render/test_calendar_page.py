"""The calendar as a picture and a page: what is drawn, what is only listed, and that both say the same."""

from datetime import UTC, datetime, timedelta

from leadline.core.engagement.calendar import Dated, What
from leadline.render.calendar import calendar_document, calendar_figure
from leadline.render.html import html
from leadline.render.pdf import pdf

NOW = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
LATE = Dated("a", NOW - DAY, What.REPORT_DUE, "Report <one>", of="a-law", due=True, stands_out=True)
OWED = Dated("b", NOW - DAY, What.REPORT_DUE, "Report two", of="b-law", due=True)
PAST = Dated("c", NOW - 2 * DAY, What.TERMS_END, "Old terms end")
SOON = Dated("d", NOW + 20 * DAY, What.ANCHOR, "Anchor", "engagement-1", of="us-eo-14409", why="y")
FAR = Dated("e", NOW + 800 * DAY, What.REPORT_DUE, "Report far", of="a-law", due=True)
ENTRY = Dated("f", datetime(2027, 4, 1, tzinfo=UTC), What.ENTRY_DUE, "Entry", whole_day=True)
ALL = (PAST, LATE, OWED, SOON, ENTRY, FAR)


def test_the_picture_shows_the_year_ahead_and_what_is_overdue() -> None:
    """What is over, or beyond the year, stands in the table alone; three marks tell three states."""
    figure = calendar_figure(ALL, NOW)
    for name in ("Report due (a-law)", "Report due (b-law)", "Planned release to partners"):
        assert name in figure.svg
    for mark in ("overdue", "due from then on", "to come"):
        assert mark in figure.svg
    assert "Report <one>" in figure.alt
    assert "Old terms end" not in figure.alt
    assert "Report far" not in figure.alt
    assert [row[1] for row in figure.data.rows] == [one.words for one in ALL]
    assert calendar_figure(ALL, NOW) == figure


def test_the_page_lists_each_month_and_sets_apart_what_is_overdue() -> None:
    """Words of people stay words; a day shows no hour; nothing is said of a release but the anchor."""
    document = calendar_document(ALL, "a developer", NOW)
    assert [section.heading for section in document.sections] == [
        "February 2027",
        "March 2027",
        "April 2027",
        "May 2029",
    ]
    page = html(document)
    assert "Report &lt;one&gt;" in page
    assert "Overdue or unproved" in page
    assert "y. Engagement engagement-1." in page
    assert "1 April 2027</" in page
    assert pdf(document).startswith(b"%PDF")


def test_a_page_without_dates_says_so() -> None:
    """No picture is drawn of nothing."""
    page = html(calendar_document((), "a developer", NOW))
    assert "No date is on record." in page
    assert "<img" not in page
    assert "Overdue or unproved</" in page
