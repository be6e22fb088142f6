"""The desktop program and the live window; Qt lives here only."""
