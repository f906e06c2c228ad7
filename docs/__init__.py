"""The documentation's sources."""
