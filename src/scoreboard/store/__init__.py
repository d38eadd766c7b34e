"""The drivers of `ports.Store`, the tables they share, and the migrations that make them."""
