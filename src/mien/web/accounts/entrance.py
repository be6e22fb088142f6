"""The form to log in."""

from __future__ import annotations

from typing import Any

from allauth.account import forms
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext_lazy as _

_LONGEST = 254
"""Of an address; names are shorter."""


class LoginForm(forms.LoginForm):
    """The package's own, with an end to what it looks up: SQLite refuses to compare very long names."""

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self.fields["login"].validators.append(MaxLengthValidator(_LONGEST))
        self.fields["login"].label = _("Name or email address")
        self.fields["login"].widget.attrs["placeholder"] = ""
        self.fields["login"].widget.attrs["maxlength"] = str(_LONGEST)
