"""What a sample's own box is, for the evidence."""

from dataclasses import asdict

from inspect_ai.util import sandbox

from leadline.sandbox.provider import BwrapSandboxEnvironment


def box_identity() -> dict[str, str]:
    """What the subject's box is, part by part, to be compared with the proof.

    Empty where another provider gave the box: unknown, as said.
    """
    try:
        box = sandbox().as_type(BwrapSandboxEnvironment)
    # house: allow swallowed-exception -- another provider's box has no identity: unknown, as said
    except TypeError:
        return {}
    return asdict(box.identity)
