"""How often gates pass that should not, and fail that should not: enumerated where that is possible, else drawn."""
