"""A provider on this machine stands in for a real one, so that the example runs without a key and without a network.

Its answers are a script, with the mistakes that it was written to make. No figure here says anything about a model.
"""

import os

import pytest

from evalkit.testing import Answer, serve

SERVER = pytest.StashKey()
SAYS_SO = ("today", "now", "urgent", "at once")
DANGER = ("water", "smoke", "door")


def script(call):
    rules, _, message = call.text.partition("Message: ")
    told = "always have" in rules  # what is dangerous, it has to be told
    found = [word for word in (*SAYS_SO, *(DANGER if told else ())) if word in message.lower()]
    answer = "yes" if found else "no"
    if "say in a few words why" in rules and len(message.split()) > 7:  # and a long message makes it talk
        answer += f", because it says {found[0]}" if found else ", it can wait"
    return Answer(text=answer)


def pytest_configure(config):
    in_worker = hasattr(config, "workerinput")  # of pytest-xdist, whose controller has started it
    if config.getoption("evalkit_cache") != "replay" and not in_worker:
        config.stash[SERVER] = serve(script)
        os.environ["SCRIPTED_URL"] = config.stash[SERVER].url


def pytest_unconfigure(config):
    if SERVER in config.stash:
        config.stash[SERVER].close()
