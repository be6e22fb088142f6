"""The application that uvicorn runs, in every server process."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mien.web.settings")

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from mien.web import engine  # noqa: E402
from mien.web.body_limit import BodyLimit  # noqa: E402

engine.warm()
application = ProtocolTypeRouter({"http": BodyLimit(django_application)})
