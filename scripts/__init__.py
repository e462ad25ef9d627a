"""Thin commands: parse, one call, exit code."""
