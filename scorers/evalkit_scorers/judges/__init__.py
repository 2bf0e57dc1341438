"""Judges: scorers backed by a model, each by a rubric of one criterion."""
