"""What plain `inspect eval` finds of Leadline: the sandbox provider, tasks, agents and scorers."""

from leadline.runner.tasks import planted, registry
from leadline.sandbox.provider import BwrapSandboxEnvironment
from leadline.subjects.baseline import baseline
from leadline.suites.differential import differential

__all__ = ["BwrapSandboxEnvironment", "baseline", "differential", "planted", "registry"]
