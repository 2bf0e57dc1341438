"""`python -m evalkit.testing`: the server in a process of its own, until its standard input closes."""

from __future__ import annotations

import sys

import click

from evalkit.testing.answers import Answer, rate_limited, reset
from evalkit.testing.script import Call, Faults
from evalkit.testing.server import serve


@click.command()
@click.option("--say", default=None, metavar="TEXT", help="The answer to everything; left out, the question is echoed.")
@click.option("--port", default=0, show_default=True, help="0 takes a free one.")
@click.option("--latency", default=0.0, metavar="SECONDS", help="Before each answer.")
@click.option("--token-latency", default=0.0, metavar="SECONDS", help="Between two pieces of a stream.")
@click.option("--rate-limited", "limited", default=0.0, metavar="SHARE", help="The share of calls that get a 429.")
@click.option("--retry-after", default=None, type=float, metavar="SECONDS", help="What a 429 asks for.")
@click.option("--reset", "resets", default=0.0, metavar="SHARE", help="The share of connections that are reset.")
@click.option("--seed", default=0, show_default=True, help="Of the faults.")
def main(
    say: str | None,
    port: int,
    latency: float,
    token_latency: float,
    limited: float,
    retry_after: float | None,
    resets: float,
    seed: int,
) -> None:
    """Serve the OpenAI API on this machine with scripted answers; prints its URL, ends when standard input does."""

    def echo(call: Call) -> Answer:
        return Answer(text=call.text if say is None else say)

    faults = Faults(shares={rate_limited(retry_after=retry_after): limited, reset(): resets}, seed=seed)
    with serve(echo, faults=faults, latency=latency, token_latency=token_latency, port=port) as server:
        click.echo(server.url)
        sys.stdin.read()
        click.echo(f"{len(server.calls)} calls, {server.in_flight_at_most} at once at most")


if __name__ == "__main__":
    main()
