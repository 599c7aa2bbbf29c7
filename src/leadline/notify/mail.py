"""Mail over SMTP: one fixed text, so that no fact of a case can be in it."""

import smtplib
import ssl
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from ipaddress import ip_address

from leadline.core.errors import Unavailable

SECONDS_MAX = 15.0
SUBJECT = "Leadline: an item needs attention"
TEXT = """An item needs your attention. Sign in to read it:

{link}

This mail says no more on purpose. How you are told, and that you no longer
want to be, you choose at {settings}
"""


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed in. Without STARTTLS only on this machine; *password* is never shown."""

    host: str
    port: int
    sender: str
    starttls: bool = True
    user: str = ""
    password: str = field(default="", repr=False)


def message(server: Server, to: str, origin: str, item: str, now: datetime) -> EmailMessage:
    """The mail about one item or several: the same words for everything, and one link."""
    made = EmailMessage(policy=SMTP)
    made["Subject"] = SUBJECT
    made["From"] = server.sender
    made["To"] = to
    made["Date"] = format_datetime(now)
    made["Message-ID"] = f"<{item}@{server.sender.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(
        TEXT.format(link=f"{origin}/inbox/{item}", settings=f"{origin}/inbox/settings")
    )
    return made


def send(server: Server, mail: EmailMessage, trusted: ssl.SSLContext | None = None) -> None:
    """Hand one mail in.

    Raises: Unavailable, with the reason and without what the mail says; what was not taken may be
    tried again.
    """
    try:
        with smtplib.SMTP(server.host, server.port, timeout=SECONDS_MAX) as smtp:
            if server.starttls:
                smtp.starttls(context=trusted or ssl.create_default_context())
            elif not _here(server.host):
                raise Unavailable("mail goes unencrypted to this machine alone; set starttls")
            if server.user:
                smtp.login(server.user, server.password)
            smtp.send_message(mail)
    except (OSError, smtplib.SMTPException) as error:
        raise Unavailable(f"the mail server took no mail ({type(error).__name__})") from error


def _here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
