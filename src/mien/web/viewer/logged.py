"""What the audit log holds: changes of accounts, tokens and consents; never a secret."""

from __future__ import annotations

from auditlog.registry import auditlog

from mien.web.accounts.models import Token, User
from mien.web.privacy.models import Consent


def register() -> None:
    """Log these models' rows as they are made, changed and deleted."""
    auditlog.register(User, exclude_fields=["password", "last_login"], serialize_data=False)
    auditlog.register(Token, exclude_fields=["digest", "last_used"], serialize_data=False)
    auditlog.register(Consent, serialize_data=False)
