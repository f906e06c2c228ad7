"""The tests of lockaudit."""
