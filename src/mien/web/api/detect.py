"""`POST /detect`: one photo in, the most prominent face out; nothing is kept of either."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from mien.web.accounts.models import Scope
from mien.web.analyses import reading
from mien.web.api.callers import Anyone, Session, Token, need_consent
from mien.web.api.problems import MEANINGS, ProblemError

router = Router(tags=["detect"])
_CALLERS = [Token(Scope.ANALYSE, "detect"), Session("detect"), Anyone()]
_STATUSES = (400, 401, 403, 413, 422, 429, 503, 507)
_MEANINGS = {
    400: "No image uploaded.",
    422: "The file is no picture that can be read.",
}


class FaceLocation(Schema):
    """The box of the face, in pixels of the picture."""

    x: int
    y: int
    width: int
    height: int


class Detected(Schema):
    """The face that is largest in the picture; `emotion` is its likeliest label, however likely that is."""

    emotion: str
    confidence: float
    face_location: FaceLocation


class DetectError(Schema):
    """Why there is no emotion: also, with status 200, where the picture shows no face."""

    error: str


def _description() -> dict[str, Any]:
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/DetectError"}}}
    described = {
        status: {"description": _MEANINGS.get(status, MEANINGS[status]), "content": error}
        for status in _STATUSES
    }
    form = {
        "type": "object",
        "required": ["image"],
        "properties": {"image": {"type": "string", "format": "binary"}},
    }
    body = {"required": True, "content": {"multipart/form-data": {"schema": form}}}
    return {"requestBody": body, "responses": described}


@router.post(
    "/detect",
    response={200: Detected | DetectError},
    auth=_CALLERS,
    operation_id="detect",
    summary="Emotion of the most prominent face",
    openapi_extra=_description(),
)
def detect(request: HttpRequest) -> Any:
    """Read the photo in the part `image` of a form (JPEG, PNG and the other formats of Mien).

    Faces after the largest, all probabilities and quality are in `/api/v1/analyses`.
    """
    need_consent(request.user if request.user.is_authenticated else None)
    upload = request.FILES.get("image")
    if upload is None:
        raise ProblemError(400, "No image uploaded")
    faces = reading.look(upload).faces
    if not faces:
        return {"error": "No face detected"}
    face = faces[0]
    return {"emotion": face.top, "confidence": face.confidence, "face_location": face.box.to_dict()}
