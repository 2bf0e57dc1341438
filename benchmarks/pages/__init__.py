"""The same cases, scores and traces as a page of four tools: how long it takes to write, how large it is, how it opens."""
