"""The REST service: R3's /detect and /api/v1."""
