"""Every document that the sample report, the sample operators and the laws lead to."""

from dataclasses import replace
from functools import cache

from leadline.app.match import samples
from leadline.core.clearing.advisory import Advisory, Flaw, Revision, Statement
from leadline.core.clearing.match import match
from leadline.core.clearing.notice import notice, questions
from leadline.core.clearing.product import Releases, package
from leadline.core.engagement.coverage import Answers, applies
from leadline.core.marking import Tlp
from leadline.core.report import Official, Report
from leadline.render.applies_page import applies_document
from leadline.render.comparison import regimes_compared, story
from leadline.render.document import Document, Section
from leadline.render.notice_pages import operator_document
from leadline.render.pages import report_document
from leadline.render.regime_page import (
    compared,
    comparison_document,
    regime_document,
    regime_table,
)
from leadline.wiring import regimes as law_files
from render.sample import START, model_report, report


def advisory(name: str, bad: str, fix: str) -> Advisory:
    """One flaw of one release, fixed in another."""
    statement = Statement(
        package("pypi", "", name), Releases(listed=(bad,)), fixed=Releases(listed=(fix,))
    )
    flaw = Flaw(
        ids=("CVE-2020-15904",),
        title=f"Overflow in {name}",
        description="A crafted file can make the program write outside its memory.",
        statements=(statement,),
        cwe="CWE-787",
        remedy=f"Replace {name} by {fix} or a later release.",
    )
    return Advisory(
        id=f"LL-2026-{name}",
        title=flaw.title,
        flaws=(flaw,),
        revisions=(Revision("1", START, "First draft."),),
        tlp=Tlp.AMBER_STRICT,
    )


ADVISORIES = (
    advisory("bsdiff4", "1.1.9", "1.2.0"),
    advisory("ujson", "5.1.0", "5.2.0"),
    advisory("cmarkgfm", "0.7.0", "0.8.0"),
)


@cache
def operator_documents() -> dict[str, Document]:
    """The page of each operator that ships with Leadline, by operator id."""
    made = {}
    for sample in samples():
        held = match(sample.inventory, ADVISORIES)
        notices = tuple(
            page
            for each in ADVISORIES
            if (page := notice(sample.operator, sample.sector, sample.inventory, held, each))
        )
        asked = questions(sample.operator, sample.sector, sample.inventory)
        made[sample.operator.id] = operator_document(
            sample.operator, notices, (asked,) if asked else (), START
        )
    return made


def crowded() -> Report:
    """A model's report with as many families and as long texts as one assessment brings."""
    made = model_report()
    planted, *others = made.suites
    family, share = planted.families[0], planted.baseline[0]
    names = [f"bug class number {n}" for n in range(12)]
    wide = replace(
        planted,
        families=tuple(replace(family, name=name) for name in names),
        baseline=tuple(replace(share, name=name) for name in names),
    )
    officials = tuple(
        Official(role, f"{body} (demonstration, no public body)")
        for role, body in (
            ("Determining official", "Director of the demonstration"),
            ("Evaluator", "Evaluation desk of the demonstration"),
            ("Criteria", "Synthetic demonstration criteria for cyber assessments"),
        )
    )
    return replace(
        made,
        suites=(wide, *others),
        engagement=replace(made.engagement, officials=officials),
        about="A language model with a ReAct agent, a shell and Python, measured through its endpoint.",
    )


def law_documents() -> dict[str, Document]:
    """A programme's page and a statute's, texts side by side with their picture, and what applies."""
    law, day = law_files.library(), START.date()
    order, act = law.newest("us-eo-14409"), law.newest("eu-ai-act-gpai")
    beside = comparison_document(compared((order, act), law, day), day)
    picture = Section("picture", "Picture", (regimes_compared((order, act), law, story(START)),))
    found = [applies(law.newest(id_), Answers(), START) for id_ in law.ids()]
    return {
        "programme": regime_document(order, law, day),
        "statute": regime_document(act, law, day),
        "statute as a table": regime_table(act, law, day),
        "statute and programme": replace(beside, sections=(picture,)),
        "statute or not": applies_document(found, Answers(), law_files.questions(), day),
    }


@cache
def documents() -> dict[str, Document]:
    """All of them, by a name for the test's output."""
    return {
        "tool-agent": report_document(report()),
        "model": report_document(model_report()),
        "crowded": report_document(crowded()),
        **operator_documents(),
        **law_documents(),
    }
