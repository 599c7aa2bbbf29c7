"""A contract written as a file is the contract that is read from it."""

from dataclasses import replace
from datetime import UTC, datetime

import hypothesis.strategies as st
from hypothesis import given

from leadline.core.clearing.contract import Contract, Embargo, Exclusion, Wanted
from leadline.core.clearing.finding import Severity
from leadline.formats.contract_toml import load_contract, render

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
LINES = TEXT.filter(lambda one: bool(one.strip()) and "\0" not in one)
TEXTS = st.lists(LINES, max_size=3).map(tuple)
CLAUSES = st.builds(Exclusion, LINES, LINES, TEXTS, st.just(("CWE-400",)) | st.just(()))
CONTRACTS = st.builds(
    Contract,
    project=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9 ._/@+-]{0,30}", fullmatch=True),
    contact=LINES,
    packages=st.just(("pkg:pypi/ujson",)) | st.just(()),
    repositories=TEXTS,
    maintainers=TEXTS,
    include=TEXTS,
    exclude=TEXTS,
    releases=TEXTS,
    exclusions=st.lists(CLAUSES, max_size=2).map(tuple),
    reproducer=st.sampled_from(Wanted),
    patch=st.sampled_from(Wanted),
    test=st.sampled_from(Wanted),
    human_confirmer=st.sampled_from(Wanted),
    per_week=st.integers(1, 1_000),
    max_open=st.integers(1, 1_000),
    paused=st.booleans(),
    paused_until=st.none() | st.just(datetime(2027, 3, 1, 12, tzinfo=UTC)),
    embargo=st.sampled_from(Embargo),
    disclosure_policy=st.just("") | LINES,
    minimum_severity=st.sampled_from(Severity),
    upstream_first=st.just("") | LINES,
    decline_route=st.just("") | LINES,
)


@given(CONTRACTS)
def test_it_reads_back_the_same(contract: Contract) -> None:
    """Whatever stands in it, but for the digest, which is of the file."""
    read = load_contract(render(contract).encode())
    assert replace(read, digest="") == contract
