"""A fuzzer of the HTTP server: `python -m tests.fuzz --seconds 600`."""
