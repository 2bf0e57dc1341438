import pytest

from evalkit.score import Score, Scorer, as_scorer, scores_from


@pytest.fixture(scope="session")
def judge():
    """Call a scorer as the runner does, and give its only score; an async scorer is run to its end."""

    def judge(scorer: Scorer, output=None, expected=None, **others) -> Score:
        import asyncio

        scorer = as_scorer(scorer)
        arguments = dict.fromkeys(scorer.needs) | {"output": output, "expected": expected} | others
        result = scorer(**{name: arguments[name] for name in scorer.needs})
        if scorer.is_async:
            result = asyncio.run(result)
        (score,) = scores_from(result, scorer)
        assert score.name == scorer.name
        assert score.scorer_version == scorer.version
        return score

    return judge
