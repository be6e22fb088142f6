"""Pages about what is done with pictures of people, and with what is kept about users."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mien.web.analyses.models import Analysis, Picture
from mien.web.preferences import local_address
from mien.web.privacy import holdings, removal
from mien.web.privacy.consent import give, has_consented, withdraw
from mien.web.privacy.forms import DeleteAccountForm
from mien.web.privacy.models import NOTICE_VERSION, Consent
from mien.web.streaming import file_response


@require_safe
def notice(request: HttpRequest) -> HttpResponse:
    """The notice of use and limits, for everyone."""
    return render(request, "privacy/notice.html", _about())


@require_http_methods(["GET", "HEAD", "POST"])
def consent(request: HttpRequest) -> HttpResponse:
    """Ask for consent, and record it."""
    following = request.POST.get("next") or request.GET.get("next")
    if request.method == "POST" and request.POST.get("agree") == "yes":
        give(request.user)
        return HttpResponseRedirect(local_address(request, following))
    earlier = Consent.objects.filter(user=request.user).exclude(version=NOTICE_VERSION).exists()
    context = {"next": following, "agreed": has_consented(request.user), "earlier": earlier}
    return render(request, "privacy/consent.html", context | _about())


@require_safe
def data(request: HttpRequest) -> HttpResponse:
    """What is kept about the user, what they agreed to, and what they can do about it."""
    context = {
        "analyses": Analysis.objects.of(request.user).count(),
        "pictures": Picture.objects.filter(analysis__owner=request.user).count(),
        "agreed": has_consented(request.user),
        "consents": Consent.objects.filter(user=request.user),
    }
    return render(request, "privacy/data.html", context | _about())


@require_POST
def withdraw_consent(request: HttpRequest) -> HttpResponse:
    """Agree no longer: nothing is analysed until the user agrees again."""
    withdraw(request.user)
    messages.success(
        request, _("You have withdrawn your consent. Nothing is analysed until you agree again.")
    )
    return HttpResponseRedirect(reverse("privacy:data"))


@require_POST
def download(request: HttpRequest) -> HttpResponseBase:
    """Everything that is kept about the user, as a ZIP file."""
    name = f"mien-{timezone.localdate():%Y-%m-%d}.zip"
    return file_response(holdings.pack(request.user), name, "application/zip")


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest) -> HttpResponse:
    """Delete the account with all that belongs to it, once the password is given."""
    form = DeleteAccountForm(request, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        removal.delete_account(request.user)
        logout(request)
        messages.success(request, _("Your account is deleted, with everything that belonged to it."))
        return HttpResponseRedirect(reverse("home"))
    return render(request, "privacy/delete.html", {"form": form})


def _about() -> dict[str, object]:
    return {
        "version": NOTICE_VERSION,
        "retention_days": settings.MIEN.retention_days,
        "may_keep": settings.MIEN.keep_pictures,
    }
