"""One file for each revision named in `evalkit.store.revisions`."""
