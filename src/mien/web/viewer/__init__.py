"""The database viewer: Django's admin, dressed as Mien and read only."""
