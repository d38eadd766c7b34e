"""Scoreboard: a self-hosted, real-time scoreboard server.

Read `model`, `interfaces`, `rules` and `scoring`, in that order, and you know the system.
"""

__version__ = "0.1.0"
