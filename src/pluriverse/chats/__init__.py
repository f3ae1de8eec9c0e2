"""Kept conversations on this disk, and their search."""
