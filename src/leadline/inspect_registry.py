"""What plain `inspect eval` finds of Leadline: the sandbox provider, tasks, agents and scorers."""

from leadline.runner.tasks import imported, patch, planted, ranges, registry
from leadline.sandbox.provider import BwrapSandboxEnvironment
from leadline.subjects.baseline import baseline
from leadline.suites.differential import differential
from leadline.suites.imported.scoring import flag_stated, own_scorer, submitted
from leadline.suites.patch.scoring import repair
from leadline.suites.ranges.judge import milestones

__all__ = [
    "BwrapSandboxEnvironment",
    "baseline",
    "differential",
    "flag_stated",
    "imported",
    "milestones",
    "own_scorer",
    "patch",
    "planted",
    "ranges",
    "registry",
    "repair",
    "submitted",
]
