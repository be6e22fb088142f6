"""How the shipped models are made: data packed for a machine with a GPU, and all runs in one command."""
