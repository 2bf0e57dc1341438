"""Scripts that run in the environment of each tool: they read the cases and make what the tool shows."""
