"""The suite of `evalkit demo`: messages to a support desk, sorted into intents, and the script that sorts them.

The script stands in for a model, behind the same API. It looks for the words that the prompt lists, as people did
before there were models, and is easily led astray, so that the table has something to show. No model answers here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import evalkit
from evalkit.case import Case
from evalkit.models import AsyncModel
from evalkit.prompts import Prompt
from evalkit.score import Score, Scorer, scorer
from evalkit.testing import Answer, Call

URL = "DEMO_PROVIDER_URL"
"""The environment variable that names the provider."""

INTENTS = ("billing", "cancel", "delivery", "login", "refund", "other")

TEXT = """Which intent has this message? Answer with the first one of this list that has a word in the message.
If none has, answer: other

{words}
Message: {{{{ message }}}}
"""

ENGLISH_WORDS = """login: password, log in, login, sign in
refund: refund, money back
cancel: cancel, unsubscribe
billing: invoice, charged, bill, card
delivery: parcel, deliver, package, tracking, arrive
"""

BOTH_WORDS = """login: password, log in, login, sign in, passwort, anmelden
refund: refund, money back, geld zurück
cancel: cancel, unsubscribe, kündigen
billing: invoice, charged, bill, card, rechnung
delivery: parcel, deliver, package, tracking, arrive, paket
"""

PROMPTS = tuple(Prompt(name="intent", text=TEXT.format(words=words)) for words in (ENGLISH_WORDS, BOTH_WORDS))
"""The first version and the second, which knows some German."""

MODEL = AsyncModel("toy", model="scripted-toy", base_url={"env": URL}, price={"input": 0.15, "output": 0.60})

ENGLISH = """
login     | I forgot my password and the reset mail never comes.
login     | The app says my login has expired, every single time.
login     | How do I sign in with my work account?
login     | I can't log in since this morning.
login     | My password manager fills the wrong field.
login     | Where can I change the password?
login     | Two-factor codes are rejected when I sign in on my phone.
login     | It lets me log in, then throws me out again.
refund    | I would like a refund for last month.
refund    | When do I get my money back for the returned lamp?
refund    | You promised a refund two weeks ago.
refund    | Can I have my money back? The kettle leaks.
refund    | Is a partial refund possible?
refund    | The refund went to an account I closed.
refund    | How long does a refund take?
cancel    | Please cancel my subscription.
cancel    | How can I unsubscribe from the yearly plan?
cancel    | I want to cancel the order I placed an hour ago.
cancel    | Cancel everything, I am moving abroad.
cancel    | Unsubscribe me from the premium tier.
cancel    | Can I cancel during the trial?
billing   | I was charged twice in May.
billing   | The invoice shows the wrong company name.
billing   | My new card is not accepted.
billing   | Why is my bill higher than last month?
billing   | Please send the invoice as a PDF.
billing   | Can I pay by invoice instead of card?
billing   | I was charged in the wrong currency.
billing   | The card on file has expired, how do I replace it?
delivery  | Where is my parcel?
delivery  | The tracking page has said "in transit" for nine days.
delivery  | Can you deliver to a pick-up point?
delivery  | The package was left in the rain.
delivery  | Will it arrive before Friday?
delivery  | The driver says nobody was home, but I was.
delivery  | My parcel went to a neighbour I do not know.
delivery  | Do you deliver to the islands?
other     | Do you have this lamp in green?
other     | What are your opening hours?
other     | Is the kettle safe for induction?
other     | I love the new look of the shop!
other     | Do you hire students?
refund    | Cancel my order and send the money back to me, please.
billing   | I cancelled in April and am still paying.
delivery  | You promised it for Monday; today is Thursday.
"""

GERMAN = """
login     | Ich habe mein Passwort vergessen.
login     | Ich kann mich nicht mehr anmelden.
login     | Der Code aus der App wird nicht angenommen.
refund    | Ich möchte mein Geld zurück.
refund    | Wann kommt die Erstattung an?
refund    | Die Rückzahlung fehlt noch immer.
cancel    | Ich will mein Abo kündigen.
cancel    | Bitte stornieren Sie die Bestellung von heute.
billing   | Auf der Rechnung steht der falsche Name.
billing   | Die Rechnung kam zweimal.
billing   | Mir wurde doppelt abgebucht.
delivery  | Wo bleibt mein Paket?
delivery  | Die Sendung hängt seit einer Woche fest.
delivery  | Liefern Sie auch nach Österreich?
other     | Gibt es die Lampe auch in Grün?
other     | Haben Sie samstags geöffnet?
"""


def cases() -> list[Case]:
    """The messages, each with the intent a person gave it, in two languages."""
    rows = [("en", line) for line in ENGLISH.splitlines()] + [("de", line) for line in GERMAN.splitlines()]
    made: list[Case] = []
    for language, line in rows:
        intent, _, message = line.partition("|")
        if message:
            made.append(
                Case(
                    id=f"{language}-{len(made) + 1:02d}",
                    input={"message": message.strip()},
                    expected=intent.strip(),
                    metadata={"lang": language},
                )
            )
    return made


@scorer(name="accuracy", requires_expected=True, blocking=False)
def _accuracy(output: str, expected: str) -> Score:
    right = output == expected
    return Score(value=right, explanation=None if right else f"said {output}, a person said {expected}")


accuracy: Scorer = _accuracy


def script(call: Call) -> Answer:
    """What the toy answers: the first intent in the prompt's list with a word in the message."""
    rules, _, message = call.text.rpartition("Message: ")
    for line in rules.splitlines():
        intent, _, words = line.partition(": ")
        if intent in INTENTS and any(word in message.lower() for word in words.split(", ")):
            return Answer(text=intent)
    return Answer(text="other")


GATES = (
    "accuracy >= 0.75",
    "accuracy >= 0.75 @ 95%",
    "accuracy[lang=de] >= 0.75",
    "p95(latency) <= 10s",
)


def support_intent(prompt: Prompt, *, gates: tuple[str, ...] = ()) -> Callable[..., Any]:
    """The suite with one version of the prompt."""

    @evalkit.suite(name="support_intent", dataset=cases, scorers=[accuracy], prompt=prompt, model=MODEL, gates=[*gates])
    async def intent_of(case: Case, prompt: Prompt, model: AsyncModel) -> str:
        """What a message is about."""
        return await model.chat(prompt.render(message=case.input["message"]))

    return intent_of
