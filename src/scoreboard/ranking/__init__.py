"""The drivers of `interfaces.Ranking`."""
