"""Interlock: a trading runtime that cannot trade by accident."""

__version__ = "0.1.0"
