"""Pages of the account that are Mien's own: profile, tokens, the end of every session."""

from __future__ import annotations

import uuid

from allauth.usersessions.internal.flows.sessions import end_sessions
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from mien.core.errors import OptionError
from mien.web.accounts import statistics, tokens
from mien.web.accounts.forms import PreferencesForm, TokenForm
from mien.web.accounts.models import Token


@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """What the user has done, and what they prefer."""
    form = PreferencesForm(request.POST if request.method == "POST" else None, instance=request.user)
    if form.is_bound and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return HttpResponseRedirect(reverse("accounts:profile"))
    if form.is_bound:
        request.user.refresh_from_db()  # what was refused is not shown as if it were so
    roles = {
        "administrator": pgettext("role", "administrator"),
        "viewer": pgettext("role", "viewer"),
        "user": pgettext("role", "user"),
    }
    context = {"form": form, "statistics": statistics.of(request.user), "role": roles[request.user.role]}
    return render(request, "accounts/profile.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def token_list(request: HttpRequest) -> HttpResponse:
    """The user's tokens, and a form for another; its text is in the answer to that form only."""
    text, form = "", TokenForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        chosen = form.cleaned_data
        try:
            _token, text = tokens.make(request.user, chosen["name"], chosen["scopes"], expires=form.expires)
            form = TokenForm()
        except OptionError:  # the form has checked everything but their number
            form.add_error(None, _("You have too many tokens. Revoke one that is used no longer."))
    context = {"form": form, "new_token": text, "tokens": Token.objects.filter(owner=request.user)}
    return render(request, "accounts/tokens.html", context)


def revoke(request: HttpRequest, token: uuid.UUID) -> HttpResponse:
    """Revoke one token of the user."""
    found = get_object_or_404(Token, owner=request.user, uid=token)
    if request.method == "POST":
        found.delete()
        messages.success(request, _("The token is revoked."))
    return HttpResponseRedirect(reverse("accounts:tokens"))


@require_POST
def everywhere(request: HttpRequest) -> HttpResponse:
    """End every session of the user, this one too."""
    end_sessions(request, list(UserSession.objects.filter(user=request.user)))
    return HttpResponseRedirect(reverse("home"))
