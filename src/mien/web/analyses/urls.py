"""Addresses of the room."""

from mien.web.analyses import export_views, history_views, photo_views
from mien.web.rules import Rule, route

app_name = "analyses"
urlpatterns = [
    route("photos/", photo_views.photos, "photos", Rule.USER, consent=True),
    route("photos/read/", photo_views.read, "read", Rule.USER, consent=True),
    route("photos/batch/", photo_views.start_batch, "start_batch", Rule.USER, consent=True),
    route("history/", history_views.history, "history", Rule.USER),
    route("history/delete/", history_views.delete, "delete", Rule.USER),
    route("history/export/", export_views.history, "export_history", Rule.USER),
    route("history/batches/<uuid:batch>/", history_views.batch, "batch", Rule.OWNER),
    route("history/batches/<uuid:batch>/export/", export_views.batch, "export_batch", Rule.OWNER),
    route("history/<uuid:uid>/", history_views.analysis, "analysis", Rule.OWNER),
    route("history/<uuid:uid>/export/", export_views.analysis, "export_analysis", Rule.OWNER),
    route("history/<uuid:picture>/picture/", history_views.picture, "picture", Rule.OWNER),
    route("history/<uuid:picture>/picture/small/", history_views.small_picture, "small_picture", Rule.OWNER),
]
