"""Checks of what this repository itself installs: pins, hashes, registries and known vulnerabilities."""
