"""Build keys and build locks."""
