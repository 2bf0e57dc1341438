"""Targets for fuzzing: each takes any bytes, and may raise nothing but evalkit's own errors."""
