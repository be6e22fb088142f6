"""Consent, retention, "download my data" and "delete my account"."""
