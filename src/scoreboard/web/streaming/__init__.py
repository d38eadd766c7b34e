"""Streams of Server-Sent Events over HTTP."""
