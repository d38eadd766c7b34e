"""Scoreboard: a self-hosted, real-time scoreboard server.

Start with the packages `domain`, `ports` and `services`.
"""

__version__ = "0.1.0"
