"""Acts out of scope over the samples of a run, source by source."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from leadline.core.assessment import OutOfScope, SampleResult
from leadline.core.measure.family import share_of
from leadline.core.measure.interval import Interval
from leadline.core.scope import SOURCES, Source


@dataclass(frozen=True, slots=True)
class SourceCount:
    """What one source saw: in how many samples it watched, and in how many it saw an act out of scope.

    *share* is of the samples it watched, with its interval (over items, where samples repeat them); None
    where it watched none. *entries* counts acts, several of which may be of one sample.
    """

    source: str
    watched: int
    unobserved: int
    samples: int
    entries: int
    alarms: int
    share: Interval | None


def scope_counts(samples: Iterable[SampleResult]) -> tuple[SourceCount, ...]:
    """The acts out of scope by source, over the samples that ran.

    A source that could not be observed in a sample says nothing about it, not that nothing happened.
    Samples of our own failure count as far as they were watched.
    """
    ran = [sample for sample in samples if sample.state != "missing"]
    return tuple(_count(source, ran) for source in SOURCES)


def _count(source: Source, ran: Sequence[SampleResult]) -> SourceCount:
    runs: dict[str, list[bool]] = {}
    entries: list[OutOfScope] = []
    for one in ran:
        seen = [entry for entry in one.scope if entry.source == source]
        entries += seen
        # What was seen was watched, whatever else of the sample could not be.
        if seen or not any(why.startswith(f"{source}:") for why in one.unobserved):
            runs.setdefault(one.item, []).append(bool(seen))
    watched = sum(map(len, runs.values()))
    return SourceCount(
        source,
        watched,
        len(ran) - watched,
        sum(map(sum, runs.values())),
        len(entries),
        sum(entry.severity == "alarm" for entry in entries),
        share_of(runs) if watched else None,
    )
