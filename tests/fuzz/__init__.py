"""Byte strings for the HTTP server, which `python -m tools.fuzz` and a test send."""
