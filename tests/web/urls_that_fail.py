"""A page that fails."""

from mien.web.rules import Rule, route
from mien.web.urls import handler500 as handler500
from mien.web.urls import urlpatterns as _ours


def _fail(request):
    raise RuntimeError("a secret of the inside")


urlpatterns = [route("fail/", _fail, "fail", Rule.ANONYMOUS), *_ours]
