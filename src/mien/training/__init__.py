"""Training of Mien's models: the only room that knows torch."""
