"""A provider on this machine stands in for a real one, so that the example runs without a key and without a network.

Its answers are a script, with the mistakes that it was written to make. No figure here says anything about a model.
"""

import os

import pytest

from evalkit.testing import Answer, serve

PORT = int(os.environ.get("SCRIPTED_PORT", "8766"))
WORDS = {
    "billing": ("invoice", "charged", "refund", "money", "price"),
    "shipping": ("parcel", "delivery", "arrive", "courier", "tracking"),
    "returns": ("return", "send it back"),
}
SERVER = pytest.StashKey()


def script(call):
    rules, _, message = call.text.partition("Message: ")
    found = [team for team, words in WORDS.items() if any(word in message.lower() for word in words)]
    if call.model == "scripted-large":  # it thinks first, which takes its time, and tokens
        team = "returns" if "returns" in found else found[0] if found else "billing"
        return Answer(text=team, output_tokens=40, latency=0.2)
    # The small one takes the first team that a word of the message stands for, unless it is told what goes first.
    told = "sends something back" in rules and "returns" in found
    return Answer(text="returns" if told else found[0] if found else "shipping", latency=0.05)


def pytest_configure(config):
    os.environ.setdefault("SCRIPTED_URL", f"http://127.0.0.1:{PORT}/v1")
    in_worker = hasattr(config, "workerinput")  # of pytest-xdist, whose controller has started it
    if config.getoption("evalkit_cache") != "replay" and not in_worker:
        config.stash[SERVER] = serve(script, port=PORT)


def pytest_terminal_summary(terminalreporter, config):
    server = config.stash.get(SERVER, None)
    calls = "was not started" if server is None else f"answered {len(server.calls)} calls"
    terminalreporter.write_line(f"The scripted provider {calls}.")


def pytest_unconfigure(config):
    if SERVER in config.stash:
        config.stash[SERVER].close()
