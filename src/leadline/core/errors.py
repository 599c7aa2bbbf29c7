"""The seven errors, told apart by what the caller can do about them.

`str(error)` is for people: it names the field or thing and the cure. `code` is stable and meant for
programs; exit and HTTP status are mapped at the edges only.
"""

from typing import ClassVar


class LeadlineError(Exception):
    """Root of Leadline's own errors; only the edges catch it."""

    code: ClassVar[str] = "error"


class Invalid(LeadlineError):
    """The input cannot be right; names the field."""

    code = "invalid"

    def __init__(self, field: str, problem: str) -> None:
        self.field, self.problem = field, problem
        super().__init__(f"{field}: {problem}")


class Denied(LeadlineError):
    """Access rules say no; *rules* are the rule ids that decided."""

    code = "denied"

    def __init__(self, reason: str, rules: tuple[str, ...] = ()) -> None:
        self.reason, self.rules = reason, rules
        super().__init__(f"{reason} (rules: {', '.join(rules) or 'default deny'})")


class NotFound(LeadlineError):
    """Absent, or not yours to know; the two are not told apart."""

    code = "not-found"


class Refused(LeadlineError):
    """Well-formed and allowed, but not in this state."""

    code = "refused"


class Stale(LeadlineError):
    """Someone else changed it first; reload and try again."""

    code = "stale"


class Unavailable(LeadlineError):
    """A dependency failed or is missing; retrying, or the named cure, may help."""

    code = "unavailable"


class Tampered(LeadlineError):
    """A proof, digest, signature or seal does not verify; *place* says where."""

    code = "tampered"

    def __init__(self, place: str, problem: str) -> None:
        self.place, self.problem = place, problem
        super().__init__(f"{place}: {problem}")
