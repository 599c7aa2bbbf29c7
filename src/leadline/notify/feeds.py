"""Atom for whoever follows the public register: one entry a month, with counts and nothing else."""

from xml.sax.saxutils import escape

from leadline.app.register import Registered


def register_atom(found: Registered, origin: str) -> bytes:
    """The feed of the register at *origin*; the same register gives the same bytes."""
    months = found.counts.months
    newest = f"{months[-1].month}-01T00:00:00Z" if months else "1970-01-01T00:00:00Z"
    lines = [
        "<?xml version='1.0' encoding='utf-8'?>",
        "<feed xmlns='http://www.w3.org/2005/Atom'>",
        f"<id>{escape(origin)}/register.atom</id><title>Public register</title>",
        f"<link rel='self' href='{escape(origin)}/register.atom'/><updated>{newest}</updated>",
        "<author><name>Leadline</name></author>",
    ]
    for month in reversed(months):
        words = ", ".join(f"{kind.replace('.', ' ')} {count}" for kind, count in month.acts.items())
        lines += [
            f"<entry><id>{escape(origin)}/register#{month.month}</id>",
            f"<title>Acts of {month.month}: {month.total}</title>",
            f"<link href='{escape(origin)}/register'/><updated>{month.month}-01T00:00:00Z</updated>",
            f"<summary>{escape(words)}; counted only {month.withheld}</summary></entry>",
        ]
    return ("\n".join((*lines, "</feed>")) + "\n").encode()
