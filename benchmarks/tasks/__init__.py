"""The six tasks. Each module measures (`run`), holds the figures against the promise (`judge`) and shows them (`section`)."""
