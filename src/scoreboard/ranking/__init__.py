"""The drivers of `ports.ranking.Ranking`."""
