"""The rules: what fires, what does not, and how it reads."""
