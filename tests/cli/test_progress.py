"""What a person sees while an assessment runs."""

import io
from dataclasses import replace

from typing_extensions import override

from leadline.app.ports import Shard
from leadline.cli.progress import Progress

SHARD = Shard("s", "j", "planted", {}, "running", 1, "w", 1, 2, 4, "running p-1", "", "")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    @override
    def isatty(self) -> bool:
        """Yes."""
        return True


def test_without_a_terminal_it_writes_lines_now_and_then() -> None:
    """Counts, time left and the current item; a second look at once adds nothing."""
    stream = io.StringIO()
    progress = Progress(stream)
    progress.phase("measurement")
    progress.samples([SHARD])
    progress.samples([SHARD])
    told = stream.getvalue()
    assert told.count("2 of 4 samples") == 1
    assert "planted: running p-1" in told
    assert "not known yet" in told
    assert "\x1b" not in told


def test_time_left_follows_from_what_was_done() -> None:
    """Once a sample is done there is an estimate, and at the end there is nothing left."""
    stream = Terminal()
    progress = Progress(stream)
    progress.samples([SHARD])
    progress.samples([replace(SHARD, done=3)])
    assert "about 0:00 left" in stream.getvalue()
    progress.samples([replace(SHARD, done=4, state="done", note="")])
    assert "all done" in stream.getvalue()


def test_on_a_terminal_the_block_is_drawn_over_itself() -> None:
    """The last block is wiped before the next; `plain` asks for lines all the same."""
    stream = Terminal()
    progress = Progress(stream)
    progress.samples([SHARD])
    progress.note("one shard done")
    assert "\x1b[2F\x1b[J" in stream.getvalue()
    assert "[############------------]" in stream.getvalue()
    lines = Terminal()
    Progress(lines, plain=True).samples([SHARD])
    assert "\x1b" not in lines.getvalue()


def test_nothing_planned_is_no_division_by_zero() -> None:
    """No shards: nothing of nothing."""
    stream = Terminal()
    Progress(stream).samples([])
    assert "0 of 0 samples, all done" in stream.getvalue()
