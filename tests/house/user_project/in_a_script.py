"""The same suite without pytest."""

from evals.test_greetings import test_greetings

import evalkit
import evalkit_reports
import evalkit_scorers
import reports

for package in (evalkit, evalkit_reports, evalkit_scorers):
    assert "site-packages" in package.__file__, package.__file__
assert "site-packages" not in reports.__file__
run = evalkit.run(test_greetings)
assert reports.headline(run) == "1 suite, 3 trials, pass", reports.headline(run)
