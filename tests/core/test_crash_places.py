"""Where crashes went wrong: what tells near twins apart, and what joins builds and versions."""

from typing import Any

from leadline.core.clearing.crash import Crash, Frame
from leadline.core.clearing.group import group
from leadline.core.clearing.sites import ZERO_PAGE

HEAP, STACK, FREED = "heap-buffer-overflow", "stack-buffer-overflow", "heap-use-after-free"


def call(function: str, line: int = 1, at: int = -1, file: str = "a.c") -> Frame:
    """One call."""
    return Frame(function, file, line, 0, at)


def crash(ident: str, *frames: Frame, kind: str = HEAP, image: str = "i", **more: Any) -> Crash:
    """A crash of one program."""
    return Crash(ident, kind, frames, ident, "app", image=image, **more)


def together(*crashes: Crash) -> bool:
    """Whether all stand in one group."""
    return len(group(crashes)) == 1


def walk(line: int = 90) -> Frame:
    """What all of the file's functions are called by."""
    return call("walk", line)


def test_twins_of_one_function_stay_apart() -> None:
    """Same class, functions and column: another line or another address is another place."""
    assert together(crash("a", call("f", 7, 70), walk()), crash("b", call("f", 7, 70), walk()))
    assert not together(crash("a", call("f", 7, 70), walk()), crash("b", call("f", 9, 90), walk()))
    bare = [Frame("f", at=at) for at in (70, 90)]
    assert not together(crash("a", bare[0]), crash("b", bare[1]))


def test_a_function_of_another_file_counts_its_callers() -> None:
    """A reader that several hand a wrong length is not what is wrong."""
    peek = call("peek", 3, file="util.c")
    assert not together(
        crash("a", peek, call("f", 7), walk()), crash("b", peek, call("g", 17), walk())
    )


def test_a_wrapper_of_the_c_library_is_left_out() -> None:
    """Some compilers jump past it."""
    copy = call("copy", 3, file="util.c")
    with_it = crash("a", copy, call("f", 7), walk(), into="__asan_memcpy")
    assert together(with_it, crash("b", call("f", 7), walk(), into="__asan_memcpy", image="j"))


def test_the_owner_of_what_was_overrun_ends_the_calls() -> None:
    """Whoever made the block: its callers do not matter; seen in one report, it holds for all."""
    made = (call("f", 5), walk())
    one = crash("a", call("f", 7), call("x", 40, file="m.c"), made=made)
    two = crash("b", call("f", 7), call("y", 50, file="m.c"), made=made)
    assert together(one, two)
    stack: dict[str, Any] = {
        "kind": STACK,
        "thing": "buf",
        "declared": 4,
        "made": (call("walk", 4),),
    }
    first = crash("a", call("k", 3), call("f", 7), walk(), **stack)
    assert "k a.c:3 < f" in group([first, crash("b", call("k", 3), call("f", 7), **stack)])[0].why
    assert not together(crash("a", call("f", 2), **stack), crash("b", call("g", 3), **stack))


def test_one_line_over_what_functions_of_its_file_made_is_one_place() -> None:
    """What the reports share is the line."""

    def owned(ident: str, owner: str, line: int) -> Crash:
        calls = (call("k", 3), call(owner, line + 2))
        return crash(
            ident, *calls, kind=STACK, thing="to", declared=line, made=(call(owner, line),)
        )

    (proposed,) = group([owned("a", "f", 10), owned("b", "g", 20)])
    assert "whoever called" in proposed.why


def test_how_far_an_access_goes_decides_its_class() -> None:
    """A wild access at the line of a known one; a block given back says nothing beside one."""
    known = crash("a", call("f", 7, 70), walk(), thing="table", kind="global-buffer-overflow")
    assert together(known, crash("b", call("f", 7, 74), walk(), kind="SEGV"))
    wild = [
        crash(name, call("f", 7), walk(), kind="SEGV", thing=t)
        for name, t in (("a", ""), ("b", "x"))
    ]
    assert together(*wild, crash("c", call("f", 7), walk(), kind=FREED))
    other = crash("d", call("f", 9, 90), walk(), thing="table", kind="global-buffer-overflow")
    assert len(group([known, other, crash("b", call("f", 7, 740), walk(), kind="SEGV")])) == 2
    within = call("walk", 90, 740)
    trap = crash("b", call("f", 7, 740), within, kind="SEGV")
    assert len(group([known, other, trap])) == 3, "beside twins, optimised, it may be of either"
    trap = crash("b", call("f", 7, 74), call("walk", 90, 74), kind="SEGV")
    assert len(group([known, other, trap])) == 2, "unless it follows the check of one"
    null = crash("a", call("f", 7), walk(), kind="SEGV", thing=ZERO_PAGE)
    assert not together(null, crash("c", call("f", 7), walk(), kind=FREED))


def test_what_gave_a_block_back_tells_uses_apart() -> None:
    """One use, two calls that freed it."""

    def used(ident: str, line: int) -> Crash:
        freed = (call("release", 2, file="util.c"), call("g", line), walk())
        return crash(ident, call("use", 30), call("g", 60), walk(), kind=FREED, freed=freed)

    assert together(used("a", 50), used("b", 50))
    assert not together(used("a", 50), used("b", 52))
    ways = [("a", 2), ("b", 3)]
    lost = [
        crash(i, call("use", 30), call("way", n, file="m.c"), kind=FREED, image=i) for i, n in ways
    ]
    assert not together(*lost)


def test_builds_of_one_source_are_told_by_lines_above_and_below() -> None:
    """Another address and image, the same lines; a moved end of the file is another source."""
    one = crash("a", call("f", 7, 70), walk(), image="i")
    assert together(one, crash("b", call("f", 7, 44), walk(), image="j"))
    twins = [
        crash("c", call("f", 9, 88), walk(), image="i"),
        crash("d", call("f", 13, 9), walk(96), image="j"),
    ]
    moved = crash("b", call("f", 9, 44), walk(96), image="j")
    groups = group([one, moved, *twins])
    assert [one.members for one in groups] == [("a", "b"), ("c", "d")], "in order, not by line"


def test_a_version_that_shows_fewer_says_nothing() -> None:
    """Which of the twins it lacks is not known."""
    two = [crash("a", call("f", 7), walk()), crash("b", call("f", 9), walk())]
    one = crash("c", call("f", 11), walk(99), image="j")
    assert [held.members for held in group([*two, one])] == [("a",), ("b",), ("c",)]


def test_a_place_without_a_line_joins_the_only_one_of_its_kind() -> None:
    """An optimiser took the line; a name that only one place runs over outlives it."""
    told = crash("a", call("f", 7, 70), walk(), kind="global-buffer-overflow", thing="table")
    blurred = crash(
        "b", call("f", 0, 20), walk(), kind="global-buffer-overflow", thing="table", image="j"
    )
    assert together(told, blurred)
    twin = crash("c", call("f", 9, 90), walk(), kind="global-buffer-overflow", thing="table")
    assert not together(told, twin, blurred)
    assert len(group([told, twin, blurred])) == 3
    inner = [Frame("main_loop", at=20)]
    bare = crash("d", *inner, kind="global-buffer-overflow", thing="table", image="k")
    assert together(told, bare)


def test_nesting_without_end_is_its_functions() -> None:
    """The way in, the leaf and the lines do not matter; another cycle is another flaw."""

    def deep(ident: str, *names: str, shift: int = 0) -> Crash:
        frames = [call(names[n % len(names)], 10 + n % len(names) + shift) for n in range(30)]
        return crash(ident, *frames, walk(), kind="stack-overflow", image="")

    assert together(deep("a", "value", "list"), deep("b", "list", "value", shift=9))
    assert not together(deep("a", "value", "list"), deep("b", "value", "object"))
    short = [crash(i, call("f", 7), call("g", 8, file="m.c"), kind="stack-overflow") for i in "ab"]
    assert together(*short)


def test_a_messenger_is_not_where_the_program_went_wrong() -> None:
    """Who stopped it counts, and with which words."""
    fatal = call("fatal", 2, file="util.c")
    one = crash("a", fatal, call("f", 7), walk(), kind="ABRT", thing="too long")
    assert together(one, crash("b", fatal, call("f", 7), walk(), kind="ABRT", thing="too long"))
    assert not together(one, crash("b", fatal, call("g", 9), walk(), kind="ABRT", thing="too long"))
    assert not together(one, crash("b", fatal, call("f", 7), walk(), kind="ABRT", thing="too deep"))


def test_what_leads_everywhere_ends_the_calls() -> None:
    """A walk that calls itself; a dispatcher above most places: who called it says nothing."""

    def way(ident: str, route: str) -> Crash:
        frames = (call("f", 7), walk(), walk(), call(route, 3, file="main.c"))
        return crash(ident, *frames, kind="signed integer overflow")

    assert together(way("a", "header"), way("b", "body"))
    runs = [
        crash(
            f"{n}{route}",
            call(f"f{n}", n),
            call("run", 90 + n),
            call(route, 3, file="m.c"),
            kind="x",
        )
        for n in range(1, 5)
        for route in ("one", "two")
    ]
    assert len(group(runs)) == 4


def test_one_code_at_one_address_is_one_place_in_any_build() -> None:
    """Without lines it is all there is."""
    calls = (Frame("f", at=70), Frame("g", at=90))
    assert together(crash("a", *calls, image="i"), crash("b", *calls, image="j"))


def test_reports_without_a_program_go_by_where_their_sources_lie() -> None:
    """One folder, one program; an unknown folder is its own."""

    def of(ident: str, program: str, folder: str) -> Crash:
        frames = (call("f", 7), walk())
        return Crash(ident, HEAP, frames, ident, program, folder=folder)

    assert together(of("a", "app", "/src/app"), of("b", "", "/src/app"))
    assert not together(of("a", "app", "/src/app"), of("b", "", "/src/other"))


def test_one_block_overrun_at_one_line_is_one_place() -> None:
    """Whichever line of the caller it came from; a block of the whole program says nothing."""
    made = (call("read", 40), call("open", 50, file="b.c"))
    name = call("name", 83, file="a.h")
    one, two = (crash(i, name, call("path", n), made=made) for i, n in (("a", 1063), ("b", 1066)))
    assert together(one, two)
    one, two = (
        crash(i, name, call("path", n), made=made[:1]) for i, n in (("a", 1063), ("b", 1066))
    )
    assert not together(one, two)
