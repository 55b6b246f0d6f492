"""Databases as we use them."""
