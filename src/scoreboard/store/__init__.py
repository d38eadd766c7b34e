"""The drivers of `interfaces.Store`, the tables they share, and the migrations that make them."""
