"""`python -m benchmarks.scale`: a store with a million scores and a million spans, in a file and on PostgreSQL."""
