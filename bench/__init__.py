"""Measurements with real engines and real locks, for docs and CI; no part of the package."""
