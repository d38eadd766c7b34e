"""The load tool: `make load`, or `python -m tests.load --help`."""
