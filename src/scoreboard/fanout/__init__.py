"""From a changed board to every open browser: one encoded frame, written to all who watch."""
