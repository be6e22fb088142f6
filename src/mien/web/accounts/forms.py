"""Forms of the account's own pages; those of log-in are the package's."""

from __future__ import annotations

import datetime
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from mien.web.accounts.models import Scope, User

_DAYS = (("30", _("after 30 days")), ("90", _("after 90 days")), ("365", _("after a year")), ("", _("never")))


class PreferencesForm(forms.ModelForm):
    """Language, theme, and whether pictures are kept."""

    language = forms.ChoiceField(
        label=_("Language"), required=False, choices=[("", _("As the browser")), *settings.LANGUAGES]
    )

    class Meta:
        """The fields that are a user's own to change."""

        model = User
        fields: ClassVar[list[str]] = ["language", "theme", "keep_pictures"]

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        if not settings.MIEN.keep_pictures:
            del self.fields["keep_pictures"]


class TokenForm(forms.Form):
    """A new token."""

    name = forms.CharField(
        label=_("Name"), max_length=60, help_text=_("What it is for, such as the program's name.")
    )
    scopes = forms.MultipleChoiceField(
        label=_("It may"),
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        initial=[Scope.ANALYSE, Scope.READ],
    )
    days = forms.ChoiceField(label=_("It ends"), required=False, choices=_DAYS, initial="90")

    @property
    def expires(self) -> datetime.datetime | None:
        """When the token ends; None: never."""
        days = self.cleaned_data["days"]
        return timezone.now() + datetime.timedelta(days=int(days)) if days else None
