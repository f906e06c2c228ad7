"""How fast lockaudit is, beside what everybody runs anyway: `python -m bench`."""
