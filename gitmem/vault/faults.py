"""Why an age file does not open: the classes of failure that the public test vectors tell apart."""

from __future__ import annotations

from gitmem.errors import TamperedError, WrongKeyError


class ArmorError(TamperedError):
    """The text around the base64 form of an age file is malformed."""


class HeaderError(TamperedError):
    """The header, or a stanza that one of our keys reads, breaks the specification."""


class HeaderMacError(TamperedError):
    """The header was changed after it was written."""


class PayloadError(TamperedError):
    """The payload was changed, cut, or continued."""


class NoMatchError(WrongKeyError):
    """None of the keys opens any stanza."""
