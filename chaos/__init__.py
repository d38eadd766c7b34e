"""Breaks real processes in many ways, while clients and watchers record what they see."""
