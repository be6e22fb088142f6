"""Photos and what was read in them: upload, result, history, export."""
