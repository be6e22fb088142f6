"""Numbers over many analyses: personal, and overall for administrators."""
