"""An ordinary test that has nothing to do with evals."""


def test_one():
    assert 1 + 1 == 2
