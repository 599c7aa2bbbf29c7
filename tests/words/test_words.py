"""No surface has a word by which a release would be allowed, kept back or judged.

The list is data, `never.toml`; each exception has its context and its reason, and is used.
"""

from collections.abc import Callable
from functools import cache

import pytest

from words import surfaces
from words.surfaces import Texts
from words.wordlist import Allowed, Never, said, used, word_list

SURFACES: dict[str, Callable[[], Texts]] = {
    "states": surfaces.states,
    "acts": surfaces.acts,
    "actions": surfaces.actions,
    "rules": surfaces.rules,
    "data": surfaces.data,
    "code": surfaces.code,
    "errors": surfaces.errors,
    "output": surfaces.output,
    "templates": surfaces.templates,
    "portal": surfaces.portal,
    "help": surfaces.help_texts,
    "api": surfaces.api,
    "docs": surfaces.docs,
}
LEAST = 3  # texts that every surface has


@cache
def on(surface: str) -> tuple[tuple[str, str], ...]:
    """All that stands on a surface, read once."""
    return tuple(SURFACES[surface]())


@pytest.mark.parametrize("surface", SURFACES)
def test_no_surface_says_a_never_word(surface: str) -> None:
    """Every name and text of one surface; an empty surface would prove nothing."""
    texts = on(surface)
    assert len(texts) > LEAST
    assert all(place.split(" ")[0] == surface for place, _ in texts)
    assert [hit for place, text in texts for hit in said(text, place)] == []


@pytest.mark.parametrize("word", word_list().never, ids=lambda one: one.planted[0])
def test_the_check_finds_what_it_looks_for(word: Never) -> None:
    """Each word, planted on each surface that it counts on, is found; so are capitals."""
    assert word.planted
    for surface in word.on or SURFACES:
        for planted in word.planted:
            for text in (planted, f"The model, {planted.upper()}, goes on."):
                assert list(said(text, f"{surface} a place that no exception names")), (
                    surface,
                    text,
                )


@pytest.mark.parametrize("planted", [one for word in word_list().never for one in word.planted])
def test_an_exception_is_about_its_context_alone(planted: str) -> None:
    """What an exception allows does not hide the word when it stands beside it."""
    assert list(said(f"TLP:CLEAR, a legal hold, but the model was {planted}", "pages a page"))


@pytest.mark.parametrize(
    "text",
    [
        "clearinghouse",
        "trusted partners",
        "other trusted partners",
        "clearly",
        "passage",
        "holder",
        "a file holds the answers",
        "TLP:CLEAR",
    ],
)
def test_plain_words_are_no_never_words(text: str) -> None:
    """The order's own words, and words that only look alike."""
    assert list(said(f"the {text} here", "help leadline")) == []


@pytest.mark.parametrize(
    "text",
    [
        "the release is on hold",
        "the office holds the release",
        "a hold on the model",
        "we hold back publication",
        "holds up the model",
    ],
)
def test_the_plain_verb_does_not_excuse_the_noun(text: str) -> None:
    """To hold is plain English of a file, and none of a release."""
    for place in ("help leadline", "errors app/x.py:1", "docs docs/how-to/x.md:1"):
        assert list(said(text, place)), text


def test_every_exception_has_a_reason_and_is_used() -> None:
    """An exception that nothing needs any more goes; one without a reason was never one."""
    assert all(len(one.reason) > len("as above") - 1 for one in word_list().allowed)
    used.clear()
    for surface in SURFACES:
        for place, text in on(surface):
            list(said(text, place))
    elsewhere = {one for one in word_list().allowed if any("pages" in at for at in one.where)}
    idle = [one for one in word_list().allowed if not used[one] and one not in elsewhere]
    assert [f"{one.context} at {one.where}" for one in idle] == []


def test_no_exception_covers_everything() -> None:
    """A context is narrower than the word: it names a phrase, or places."""
    for one in word_list().allowed:
        assert isinstance(one, Allowed)
        bare = one.context.replace(r"\b", "").replace("?", "").isalpha()
        assert one.where or not bare, one.context
