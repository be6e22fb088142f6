"""The form that deletes an account."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class DeleteAccountForm(forms.Form):
    """Asks for the password: an open browser alone deletes nothing."""

    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, request: HttpRequest, *args: Any, **values: Any) -> None:
        self._request = request
        super().__init__(*args, **values)

    def clean_password(self) -> str:
        """Check it as at log-in: whoever guesses is locked out."""
        password = str(self.cleaned_data["password"])
        name = self._request.user.get_username()
        if authenticate(self._request, username=name, password=password) != self._request.user:
            raise forms.ValidationError(_("This is not your password."))
        return password
