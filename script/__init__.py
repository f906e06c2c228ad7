"""What the scripts beside this file need that is more than a few lines of shell."""
