"""Mail addresses that every mail server takes."""

from email_validator import validate_email


def mailable_address(address: str) -> str:
    """Return an address in ASCII: its domain in the form that DNS knows; asks no server.

    Letters beyond ASCII before the @-sign are refused, because they need an extension (SMTPUTF8)
    that many servers lack. Raises ValueError, whose words say what is wrong.
    """
    found = validate_email(
        address, check_deliverability=False, test_environment=True, allow_smtputf8=False
    )
    return found.ascii_email or found.normalized
