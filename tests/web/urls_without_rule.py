"""A route that was made past the rules."""

from django.http import HttpResponse
from django.urls import path

from mien.web.urls import urlpatterns as _ours  # the page of the refusal links to them

urlpatterns = [path("open/", lambda request: HttpResponse("in"), name="open"), *_ours]
handler403 = "mien.web.error_pages.forbidden"
