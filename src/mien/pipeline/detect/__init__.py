"""Face detectors behind one protocol: `haar` (ships with OpenCV), `yunet`, and `auto`, the best present."""

from mien.pipeline.detect.base import BoxRule, Detection, Detector
from mien.pipeline.detect.choose import create_detector
from mien.pipeline.detect.given import GIVEN, given_detections

__all__ = ["GIVEN", "BoxRule", "Detection", "Detector", "create_detector", "given_detections"]
