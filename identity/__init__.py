"""Who exists, what proves it, which sessions are open."""

__version__ = "0.1.0"
