"""The load tool: `make load`, or `python -m benchmarks --help`."""
