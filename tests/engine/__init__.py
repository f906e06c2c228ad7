"""Tests that build real images, with a real Docker Engine."""
