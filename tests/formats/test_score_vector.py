"""Claims about what a holder of a hazardous suite may hand over."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.formats.score_vector import BYTES_MAX, CONTEXT, read

DIGEST = "ab" * 32
SECRET = "the text of an item"


def document(**more: object) -> bytes:
    """A document in order, with *more* in its place."""
    return json.dumps({"suite_digest": DIGEST, "count": 2, "scores": [1, 0.125], **more}).encode()


def test_digest_count_and_scores_are_read() -> None:
    """Scores are kept in thousandths; without a signature there is none."""
    found = read(document(), "d")
    assert (found.suite_digest, found.thousandths, found.signature) == (DIGEST, (1000, 125), b"")
    assert found.signed.startswith(CONTEXT)
    signed = read(document(signature=base64.b64encode(bytes(64)).decode()), "d")
    assert signed.signature == bytes(64)
    assert signed.signed == found.signed


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=50))
def test_every_score_in_thousandths_can_be_handed_over(thousandths: list[int]) -> None:
    """Any score with three decimals comes back exactly."""
    scores = [one / 1000 for one in thousandths]
    found = read(document(count=len(scores), scores=scores), "d")
    assert found.thousandths == tuple(thousandths)


@pytest.mark.parametrize(
    "data",
    [
        document(items=[SECRET]),
        document(note=SECRET),
        document(**{SECRET: 1}),
        document(suite_digest=SECRET),
        document(suite_digest=DIGEST.upper()),
        document(count=SECRET),
        document(count=True),
        document(count=0),
        document(count=3),
        document(scores=SECRET),
        document(scores=[1, SECRET]),
        document(scores=[1, True]),
        document(scores=[1, 1.5]),
        document(scores=[1, 0.1234]),
        document(scores=[1, {"text": SECRET}]),
        document(signature=SECRET),
        document(signature={"text": SECRET}),
        json.dumps([SECRET]).encode(),
        SECRET.encode(),
        f'{{"{SECRET}": 1, "{SECRET}": 2}}'.encode(),
        b" " * (BYTES_MAX + 1),
        json.dumps({"suite_digest": DIGEST}).encode(),
    ],
)
def test_a_document_with_text_is_refused_and_not_quoted(data: bytes) -> None:
    """Whatever is not a digest, a count, a score or a signature refuses it all, without a word of it."""
    with pytest.raises(Invalid) as caught:
        read(data, "d")
    said = f"{caught.value} {caught.value.__cause__} {caught.value.field}"
    assert SECRET not in said
