"""What `lockaudit fix` does to drifted pairs that the real uv locked, and to a repository when it is killed."""
