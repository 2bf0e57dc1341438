"""The steps from each schema to the next; `evalkit.store.upgrading` takes them."""
