"""The image is tried: built by a Docker engine, or by the Dockerfile's own steps where none runs."""
