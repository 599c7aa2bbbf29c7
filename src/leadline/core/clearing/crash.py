"""What one crash report says, without what changes from run to run."""

from dataclasses import dataclass

UNKNOWN = -1  # an address that the report does not give relative to the program's image


@dataclass(frozen=True, slots=True)
class Frame:
    """One call, innermost first in a stack. *line* and *column* are 0 where the report gives none.

    *at* is the address relative to the program's image, which is the same in every run of one build.
    """

    function: str
    file: str = ""
    line: int = 0
    column: int = 0
    at: int = UNKNOWN

    @property
    def shown(self) -> str:
        """The call as a report would print it, without addresses."""
        place = f" {self.file}:{self.line}" if self.line else ""
        return f"{self.function or '?'}{place}"


@dataclass(frozen=True, slots=True)
class Crash:
    """What one report says.

    *kind* is the sanitizer's class of error, *frames* the program's own frames, *program* what
    crashed, across its builds. *proof* and *build* are digests where the report comes with them,
    *text* the digest of the report itself. *access* is ``READ`` or ``WRITE``; *thing* names what was
    overrun or which condition failed, *declared* the line where it is declared. *made* and *freed* are
    own frames of where a block was made and given back. *image* tells builds of one program apart,
    *folder* is where its sources lie. *into* is the C library's function that the innermost call was in.
    """

    id: str
    kind: str
    frames: tuple[Frame, ...]
    text: str
    program: str = ""
    proof: str = ""
    build: str = ""
    access: str = ""
    thing: str = ""
    declared: int = 0
    made: tuple[Frame, ...] = ()
    freed: tuple[Frame, ...] = ()
    image: str = ""
    folder: str = ""
    into: str = ""
