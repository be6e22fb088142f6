"""Weights and the cards that describe them: nothing is inferred from a file name."""
