"""Which analyses of a history are looked at: one form for pages, exports and deletions."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Exists, F, OuterRef, Q
from django.http import QueryDict
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from mien.core.emotions import DEFAULT_LABELS, LANGUAGES, display_name
from mien.web.analyses.models import AnalysedFace, Analysis, Batch, OwnedQuerySet, Source, Tag

UNCERTAIN = "-uncertain"
NO_FACE = "-none"
ORDERS = {
    "": ("-created", "-id"),
    "oldest": ("created", "id"),
    "name": ("name", "-created", "-id"),
    "faces": ("-face_count", "-created", "-id"),
}


class _DayField(forms.DateField):
    """A day, as browsers send it, that is a moment in every time zone."""

    def __init__(self, **values: Any) -> None:
        widget = forms.DateInput({"type": "date"}, "%Y-%m-%d")
        limits = [MinValueValidator(date(1900, 1, 1)), MaxValueValidator(date(9998, 12, 31))]
        super().__init__(required=False, widget=widget, validators=limits, **values)


class HistoryFilter(forms.Form):
    """What the history shows; every field is optional, and a value that makes no sense shows nothing."""

    q = forms.CharField(
        label=_("Search"), required=False, max_length=200, widget=forms.TextInput({"type": "search"})
    )
    emotion = forms.ChoiceField(label=_("Expression"), required=False)
    source = forms.ChoiceField(label=_("Source"), required=False, choices=[("", _("Any")), *Source.choices])
    tag = forms.ModelChoiceField(
        label=_("Tag"),
        required=False,
        queryset=Tag.objects.none(),
        to_field_name="name",
        empty_label=_("Any"),
    )
    since = _DayField(label=_("From"))
    until = _DayField(label=_("To"))
    order = forms.ChoiceField(
        label=_("Order"),
        required=False,
        choices=[
            ("", _("Newest first")),
            ("oldest", _("Oldest first")),
            ("name", _("By name")),
            ("faces", _("Most faces first")),
        ],
    )

    def __init__(self, data: QueryDict | None, user: Any) -> None:
        super().__init__(data, auto_id="filter_%s")
        self.user = user
        self.fields["emotion"].choices = _emotions()
        self.fields["tag"].queryset = Tag.objects.of(user)

    @property
    def is_narrow(self) -> bool:
        """Whether anything but the order was chosen."""
        return any(self.data.get(name) for name in self.fields if name != "order")

    def found(self) -> OwnedQuerySet:
        """Return the user's analyses that fit, in the order that was chosen."""
        rows = Analysis.objects.of(self.user)
        if not self.is_valid():
            return rows.none()
        chosen = self.cleaned_data
        for name in ("q", "emotion", "source", "tag", "since", "until"):
            if chosen[name]:
                rows = getattr(self, f"_by_{name}")(rows, chosen[name])
        return rows.order_by(*ORDERS[chosen["order"]])

    def _by_q(self, rows: Any, text: str) -> Any:
        tagged = Analysis.tags.through.objects.filter(analysis=OuterRef("pk"), tag__name__icontains=text)
        return rows.filter(Q(name__icontains=text) | Q(notes__icontains=text) | Exists(tagged))

    def _by_emotion(self, rows: Any, label: str) -> Any:
        if label == NO_FACE:
            return rows.filter(face_count=0)
        wanted = None if label == UNCERTAIN else label
        kind = {"emotion__isnull": True} if wanted is None else {"emotion": wanted}
        return rows.filter(Exists(AnalysedFace.objects.filter(analysis=OuterRef("pk"), **kind)))

    def _by_source(self, rows: Any, source: str) -> Any:
        return rows.filter(source=source)

    def _by_tag(self, rows: Any, tag: Tag) -> Any:
        return rows.filter(tags=tag)

    def _by_since(self, rows: Any, day: Any) -> Any:
        return rows.filter(created__gte=_midnight(day))

    def _by_until(self, rows: Any, day: Any) -> Any:
        return rows.filter(created__lt=_midnight(day + timedelta(days=1)))


def _midnight(day: date) -> datetime:
    """Return when a day begins where the reader is: an index finds it, unlike the day of a moment."""
    return timezone.make_aware(datetime.combine(day, time.min))


def _emotions() -> list[tuple[str, Any]]:
    from mien.web import engine

    language = (get_language() or "en").partition("-")[0]
    language = language if language in LANGUAGES else "en"
    labels = dict.fromkeys((*engine.analyzer().model.card.labels, *DEFAULT_LABELS))
    named = [(label, display_name(label, language)) for label in labels]
    return [
        ("", pgettext_lazy("expression", "Any")),
        *named,
        (UNCERTAIN, display_name(None, language)),
        (NO_FACE, _("No face")),
    ]


def chosen(data: QueryDict, user: Any) -> OwnedQuerySet:
    """Return the user's analyses that were ticked (`uid`, any number of times)."""
    uids = [uid for text in data.getlist("uid") if (uid := _uid(text))]
    return Analysis.objects.of(user).filter(uid__in=uids)


def batch_of(user: Any, text: str | None) -> Batch:
    """Return the user's batch of that name.

    Raises:
        Http404: there is none.
    """
    return get_object_or_404(Batch.objects.of(user), uid=_uid(text or "") or UUID(int=0))


def _uid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def tidy(user: Any) -> None:
    """Forget tags and finished batches of the user that no analysis is left of."""
    Tag.objects.of(user).filter(analyses=None).delete()
    finished = Batch.objects.of(user).filter(done__gt=0, total__lte=F("done") + F("failed"))
    finished.filter(analyses=None).delete()
