"""Mien's version; packaging, results and cards all read it here."""

__version__ = "0.1.0"
