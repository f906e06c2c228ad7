"""lockaudit: proves that a production uv.lock is a consistent subset of the development one."""

__version__ = "0.1.0"
