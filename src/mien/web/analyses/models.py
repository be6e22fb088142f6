"""Analyses, their faces, kept pictures, batches and tags.

A row of `AnalysedFace` carries its analysis's owner, time and source as well: dashboards over a million
faces then read one index and join nothing.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from mien.core.results import Face, ImageAnalysis, ModelReference


class Source(models.TextChoices):
    """How a picture came to Mien."""

    UPLOAD = "upload", _("Upload")
    API = "api", _("REST service")
    CAMERA = "camera", _("Camera")
    FILM = "film", _("Film")


class OwnedQuerySet(models.QuerySet[Any]):
    """Rows that belong to users."""

    def of(self, user: Any) -> OwnedQuerySet:
        """Return the rows of `user`: what is another's does not exist for them."""
        return self.filter(owner=user) if user.is_authenticated else self.none()


class _Owned(models.Model):
    """A row of a user, with a name for addresses that tells nothing."""

    uid = models.UUIDField(_("identifier"), default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, verbose_name=_("owner"))
    created = models.DateTimeField(_("created"), default=timezone.now, db_default=Now(), editable=False)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        """No table of its own."""

        abstract = True


class Batch(_Owned):
    """Several photos that were sent together."""

    title = models.CharField(_("title"), max_length=200, blank=True)
    total = models.PositiveIntegerField(_("photos"), default=0)
    done = models.PositiveIntegerField(_("read"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    # [{"name": "a.jpg", "why": "not a picture"}]
    failures = models.JSONField(_("failures"), default=list, blank=True)

    class Meta:
        """Newest first."""

        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        ordering: ClassVar[list[str]] = ["-created", "-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["owner", "-created", "-id"], name="batch_history")
        ]

    def __str__(self) -> str:
        return self.title or str(self.uid)

    @property
    def is_finished(self) -> bool:
        """Whether every photo was read or has failed."""
        return self.done + self.failed >= self.total


class Tag(models.Model):
    """A word by which a user finds analyses again."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tags", verbose_name=_("owner")
    )
    name = models.CharField(_("name"), max_length=40)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        """A user has each word once."""

        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering: ClassVar[list[str]] = ["name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint("owner", "name", name="a_tag_once_an_owner")
        ]

    def __str__(self) -> str:
        return self.name


class Analysis(_Owned):
    """What was read in one picture: everything of an `ImageAnalysis` but the faces, which are rows too."""

    source = models.CharField(_("source"), max_length=12, choices=Source.choices, default=Source.UPLOAD)
    name = models.CharField(_("file"), max_length=200, blank=True)
    batch = models.ForeignKey(
        Batch,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="analyses",
        verbose_name=_("batch"),
    )
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))
    face_count = models.PositiveIntegerField(_("faces"), default=0)
    model_name = models.CharField(_("model"), max_length=200)
    model_digest = models.CharField(_("model digest"), max_length=64)
    detector = models.CharField(_("detector"), max_length=40)
    options = models.CharField(_("options digest"), max_length=64)
    elapsed_s = models.FloatField(_("seconds"))
    version = models.CharField(_("version"), max_length=40)
    notes = models.TextField(_("notes"), blank=True, max_length=10_000)
    tags = models.ManyToManyField(Tag, blank=True, related_name="analyses", verbose_name=_("tags"))

    class Meta:
        """Newest first."""

        verbose_name = _("analysis")
        verbose_name_plural = _("analyses")
        ordering: ClassVar[list[str]] = ["-created", "-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["owner", "-created", "-id"], name="analysis_history"),
            models.Index(fields=["created"], name="analysis_created"),
        ]

    def __str__(self) -> str:
        return self.name or str(self.uid)

    def result(self) -> ImageAnalysis:
        """Return the library's result, as it was when the picture was read."""
        return ImageAnalysis(
            faces=tuple(face.result() for face in self.faces.all()),
            width=self.width,
            height=self.height,
            model=ModelReference(self.model_name, self.model_digest),
            detector=self.detector,
            options=self.options,
            elapsed_s=self.elapsed_s,
            source=self.name or None,
            version=self.version,
        )


class AnalysedFace(models.Model):
    """One face of an analysis."""

    analysis = models.ForeignKey(
        Analysis, on_delete=models.CASCADE, related_name="faces", verbose_name=_("analysis")
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="faces", verbose_name=_("owner")
    )
    created = models.DateTimeField(_("created"), editable=False)
    source = models.CharField(_("source"), max_length=12, choices=Source.choices)
    position = models.PositiveSmallIntegerField(_("position"), help_text=_("0 is the largest face."))
    emotion = models.CharField(
        _("emotion"), max_length=60, null=True, blank=True, help_text=_("Empty: no label is likely enough.")
    )
    top = models.CharField(_("top label"), max_length=60)
    confidence = models.FloatField(_("confidence"))
    # pairs, [["angry", 0.1], …]: PostgreSQL forgets the order of an object's names, which is the card's
    scores = models.JSONField(_("scores"))
    x = models.IntegerField()
    y = models.IntegerField()
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))
    detection_score = models.FloatField(_("detection score"), null=True, blank=True)
    landmarks = models.JSONField(_("landmarks"), null=True, blank=True)
    quality = models.JSONField(_("quality"))

    objects = OwnedQuerySet.as_manager()

    class Meta:
        """As in the result: the largest first."""

        verbose_name = _("face")
        verbose_name_plural = _("faces")
        ordering: ClassVar[list[str]] = ["analysis_id", "position"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint("analysis", "position", name="a_position_once_an_analysis")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["owner", "created", "top", "confidence", "source"], name="face_of_owner"),
            models.Index(fields=["created", "top", "confidence", "source"], name="face_overall"),
        ]

    def __str__(self) -> str:
        return f"{self.emotion or '?'} {self.confidence:.2f}"

    def result(self) -> Face:
        """Return the library's face."""
        return Face.from_dict(
            {
                "box": {"x": self.x, "y": self.y, "width": self.width, "height": self.height},
                "scores": dict(self.scores),
                "emotion": self.emotion,
                "quality": self.quality,
                "detection_score": self.detection_score,
                "landmarks": self.landmarks,
                "track_id": None,
            }
        )


def picture_name(picture: Picture, _name: str) -> str:
    """Return where a picture is kept: nothing of the name that its sender gave reaches the disk."""
    uid = picture.analysis.uid.hex
    return f"{uid[:2]}/{uid}.jpg"


class Picture(models.Model):
    """A picture that its owner chose to keep, encoded anew, without metadata."""

    analysis = models.OneToOneField(
        Analysis, on_delete=models.CASCADE, related_name="picture", verbose_name=_("analysis")
    )
    file = models.ImageField(_("file"), upload_to=picture_name, width_field="width", height_field="height")
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))
    size = models.PositiveIntegerField(_("bytes"))

    class Meta:
        """One an analysis."""

        verbose_name = _("picture")
        verbose_name_plural = _("pictures")

    def __str__(self) -> str:
        return str(self.analysis)
