"""A user's own package, which happens to be called `scorers`."""


def polite(output: str) -> bool:
    return "please" in output or "thank" in output
