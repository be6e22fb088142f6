"""The history: looked through, read one by one, annotated with notes and tags, deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from mien.web.analyses import pictures, report
from mien.web.analyses.filters import HistoryFilter, batch_of, chosen, tidy
from mien.web.analyses.models import Analysis, Batch, OwnedQuerySet, Picture, Tag
from mien.web.analyses.owned import READ, owned

PER_PAGE = 24
MOST_TAGS = 20


class NotesForm(forms.ModelForm):
    """What a user writes about an analysis."""

    words = forms.CharField(
        label=gettext_lazy("Tags"),
        required=False,
        max_length=1000,
        help_text=gettext_lazy("Separate them with commas."),
    )

    class Meta:
        """The notes themselves are a field of the row."""

        model = Analysis
        fields = ("notes",)
        widgets = {"notes": forms.Textarea({"rows": 4})}  # noqa: RUF012 - as Django reads it
        labels = {"notes": gettext_lazy("Notes")}  # noqa: RUF012

    def clean_words(self) -> list[str]:
        """Return the tags, each once, however it is written."""
        words = (" ".join(word.split()) for word in self.cleaned_data["words"].split(","))
        found = {word.casefold(): word for word in words if word}
        longest = Tag._meta.get_field("name").max_length
        if any(len(word) > longest for word in found.values()):
            raise forms.ValidationError(_("A tag has at most %(most)s characters.") % {"most": longest})
        if len(found) > MOST_TAGS:
            raise forms.ValidationError(_("An analysis has at most %(most)s tags.") % {"most": MOST_TAGS})
        return list(found.values())


@require_safe
def history(request: HttpRequest) -> HttpResponse:
    """Every analysis of the user, filtered, a page at a time."""
    wanted = HistoryFilter(request.GET, request.user)
    rows = wanted.found().select_related("batch", "picture").prefetch_related("faces", "tags")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "filter": wanted,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "query": query.urlencode(),
        "anything": page.paginator.count > 0 or Analysis.objects.of(request.user).exists(),
    }
    return render(request, "analyses/history.html", context)


@owned(Analysis, (*READ, "POST"))
def analysis(request: HttpRequest, found: Analysis) -> HttpResponse:
    """One analysis with its picture, where that was kept; POST writes notes and tags."""
    tags = ", ".join(tag.name for tag in found.tags.all())
    form = NotesForm(
        request.POST if "notes" in request.POST else None, instance=found, initial={"words": tags}
    )
    if form.is_bound and form.is_valid():
        _write_notes(form, request.user)
        messages.success(request, _("Notes and tags are saved."))
        return HttpResponseRedirect(request.path)
    context = {
        "analysis": found,
        "faces": found.faces.all(),
        "form": form,
        "tags": Tag.objects.of(request.user),
    }
    return render(request, "analyses/analysis.html", context, status=422 if form.is_bound else 200)


@owned(Analysis)
def picture(request: HttpRequest, analysis: Analysis) -> HttpResponse:
    """The picture of an analysis, where it was kept."""
    return _picture(analysis, pictures.content)


@owned(Analysis)
def small_picture(request: HttpRequest, analysis: Analysis) -> HttpResponse:
    """The same, small."""
    return _picture(analysis, pictures.small)


@owned(Batch)
def batch(request: HttpRequest, found: Batch) -> HttpResponse:
    """The report of a batch: what its photos show together, and each of them."""
    rows = (
        found.analyses.select_related("picture").prefetch_related("faces", "tags").order_by("created", "id")
    )
    context = {"batch": found, "analyses": rows, "report": report.of(rows)}
    return render(request, "analyses/batch.html", context)


@require_POST
def delete(request: HttpRequest) -> HttpResponse:
    """Delete what was ticked, what a filter finds, or everything: asks first, then does it."""
    which = request.POST.get("which", "")
    wanted = _wanted(request, which)
    if wanted is None or not (which == "batch" or wanted.exists()):
        messages.warning(request, _("Nothing was chosen."))
        return HttpResponseRedirect(reverse("analyses:history"))
    count = wanted.count()
    if request.POST.get("confirmed") != "yes":
        uids = request.POST.getlist("uid") if which == "chosen" else []
        return render(request, "analyses/delete.html", {"which": which, "uids": uids, "count": count})
    with transaction.atomic():
        wanted.delete()
        if which == "batch":
            batch_of(request.user, request.POST.get("batch")).delete()
        elif which == "all":
            Batch.objects.of(request.user).delete()
        tidy(request.user)
    text = ngettext("%(count)s analysis was deleted.", "%(count)s analyses were deleted.", count)
    messages.success(request, text % {"count": count})
    return HttpResponseRedirect(reverse("analyses:history"))


def _picture(analysis: Analysis, made: Callable[[Picture], bytes]) -> HttpResponse:
    kept = get_object_or_404(Picture, analysis=analysis)
    try:
        content = made(kept)
    except OSError:
        raise Http404 from None  # its file is gone
    headers = {"Content-Disposition": "inline", "Cache-Control": "private, max-age=3600"}
    return HttpResponse(content, content_type=pictures.TYPE, headers=headers)


def _wanted(request: HttpRequest, which: str) -> OwnedQuerySet | None:
    if which == "chosen":
        return chosen(request.POST, request.user)
    if which == "filtered":
        return HistoryFilter(QueryDict(request.POST.get("query", "")), request.user).found()
    if which == "batch":
        return batch_of(request.user, request.POST.get("batch")).analyses.all()
    return Analysis.objects.of(request.user) if which == "all" else None


def _write_notes(form: NotesForm, user: Any) -> None:
    with transaction.atomic():
        kept = form.save()
        known = {tag.name.casefold(): tag for tag in Tag.objects.of(user)}
        words = form.cleaned_data["words"]
        kept.tags.set([known.get(w.casefold()) or Tag.objects.create(owner=user, name=w) for w in words])
        tidy(user)
