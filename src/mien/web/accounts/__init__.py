"""Who uses Mien: users, roles, log-in, profile, tokens."""
