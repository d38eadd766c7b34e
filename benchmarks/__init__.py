"""Benchmarks of the server: `make load`, or `python -m benchmarks --help`."""
