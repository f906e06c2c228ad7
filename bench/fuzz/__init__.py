"""Hostile and broken input for everything that reads a file, and for everything that writes one."""
