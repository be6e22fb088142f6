"""Films and cameras: frames, faces through time, timelines, annotated films."""
