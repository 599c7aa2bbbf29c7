"""What a sample's own box is, for the evidence."""

from dataclasses import asdict

from inspect_ai.util import SandboxEnvironment, sandbox

from leadline.sandbox.provider import BwrapSandboxEnvironment


def box_identity() -> dict[str, str]:
    """What the subject's box is, part by part, to be compared with the proof.

    Empty where another provider gave the box: unknown, as said.
    """
    # Inspect hands out a proxy; asked for any environment, it answers the provider's own.
    box = sandbox().as_type(SandboxEnvironment)  # type: ignore[type-abstract]
    return asdict(box.identity) if isinstance(box, BwrapSandboxEnvironment) else {}
