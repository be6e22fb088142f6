"""The form that chooses what a dashboard is about."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from mien.core.errors import OptionError
from mien.web.dashboard.periods import PERIODS, Period
from mien.web.dashboard.statistics import period_for

NAMES = {
    "7d": _("7 days"),
    "30d": _("30 days"),
    "90d": _("90 days"),
    "12m": _("12 months"),
    "all": _("Everything"),
}


class PeriodForm(forms.Form):
    """Days and time zone; whatever is left out has its usual value."""

    first = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    last = forms.DateField(
        label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    # a script adds the device's own zone
    zone = forms.CharField(label=_("Time zone"), required=False, widget=forms.Select)
    period = forms.ChoiceField(choices=[(name, name) for name in PERIODS], required=False)

    def __init__(self, owner: Any, data: Any) -> None:
        super().__init__(data)
        self.owner = owner
        self.chosen: Period = period_for(owner)
        asked = str(self.data.get("zone", ""))
        zones = dict.fromkeys([settings.TIME_ZONE, *([asked] if asked in available_timezones() else [])])
        self.fields["zone"].widget.choices = [(zone, zone.replace("_", " ")) for zone in zones]

    def clean(self) -> dict[str, Any]:
        """Make the period, or say that there is none such."""
        cleaned: dict[str, Any] = super().clean() or {}
        first, last = (str(cleaned.get(field) or "") for field in ("first", "last"))
        name = "" if first or last else cleaned.get("period", "")
        if not self.errors:
            try:
                self.chosen = period_for(self.owner, name, first, last, cleaned.get("zone", ""))
            except OptionError as error:
                message = _("There are no such days: the first comes before the last, and the zone exists.")
                raise forms.ValidationError(message) from error
        return cleaned
