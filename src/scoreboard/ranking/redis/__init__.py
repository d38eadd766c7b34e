"""The ranking in Redis."""
