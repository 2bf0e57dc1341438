"""evalkit beside plain pytest and its neighbours, measured in one run on one machine."""
