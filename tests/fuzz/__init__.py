"""Byte strings that a test and `python -m tools.fuzz` send to the HTTP server."""
