"""A suite with gates, and one where each case decides. Run it: pytest examples/quickstart

The function under test is a list of words, so that it runs anywhere at once. Put a call to your model in its place.
"""

import evalkit
from evalkit_scorers import exact_match

WORDS = {
    "billing": ("charge", "invoice", "refund", "payment", "receipt", "rechnung", "erstattung", "zahlung", "abgebucht"),
    "shipping": ("parcel", "package", "tracking", "deliver", "courier", "arrived", "paket", "liefer", "sendung"),
    "account": ("password", "account", "log in", "login", "signed in", "passwort", "konto", "anmeldung", "e-mail"),
}


def team_for(message: str) -> str:
    """The team whose words the message has most of; `other` where it has none."""
    found = {team: sum(word in message.lower() for word in words) for team, words in WORDS.items()}
    team = max(found, key=found.__getitem__)
    return team if found[team] else "other"


@evalkit.suite(
    dataset="tickets.jsonl",
    scorers=[exact_match()],
    gates=[
        "exact_match >= 0.8",  # what was observed
        "exact_match >= 0.7 @ 95%",  # what these cases are evidence for
        "exact_match[lang=de] >= 0.75",  # and for one slice
        "errors <= 0",
    ],
)
def test_routing(case):
    return team_for(case.input)


def known_team(output: str) -> bool:
    return output in {*WORDS, "other"}


@evalkit.suite(dataset="tickets.jsonl", scorers=[known_team])
async def test_routes_to_a_team_that_exists(case):
    return team_for(case.input)
