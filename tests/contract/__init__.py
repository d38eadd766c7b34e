"""One suite for each port, split by operation and run over every driver."""
