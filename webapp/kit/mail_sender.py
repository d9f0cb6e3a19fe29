"""The sender of all mails, made ready for servers that know ASCII alone."""

from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr

# IDNA 2003, which Python has, and IDNA 2008, which registries have, differ in these.
_DEVIATIONS = frozenset("ßς\u200c\u200d")
NO_SENDER = "must be an address, such as Newsroom <news@example.org>"


def mailable_sender(text: str) -> str:
    """Return a sender as a mail's From can carry it; a domain beyond ASCII is encoded.

    The name may hold any letters. Raises ValueError, whose words do not hold the sender.
    """
    name, address = parseaddr(text)
    local, at, domain = address.rpartition("@")
    is_bare_with_spaces = "<" not in text and len(text.split()) > 1
    if not (at and local and domain) or text.count("@") - name.count("@") != 1:
        raise ValueError(NO_SENDER)
    if is_bare_with_spaces:
        raise ValueError(NO_SENDER)
    if not _DEVIATIONS.isdisjoint(domain):
        message = "has a domain that is encoded in two ways; write it as DNS knows it (xn--…)"
        raise ValueError(message)
    if not local.isascii():
        message = "may hold ASCII only before the @, because many servers take nothing else"
        raise ValueError(message)
    try:
        address = f"{local}@{_ascii_domain(domain)}"
        sender = str(Address(name, addr_spec=address))
        message_with_it = EmailMessage(policy=SMTP)
        message_with_it["From"] = Address(name, addr_spec=address)
        message_with_it.as_bytes()
    except (ValueError, MessageError, IndexError):
        raise ValueError(NO_SENDER) from None
    return sender


def _ascii_domain(domain: str) -> str:
    """Return a domain in the form that DNS knows (`xn--…`)."""
    return domain if domain.isascii() else domain.encode("idna").decode("ascii")
