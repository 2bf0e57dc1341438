"""Running trials: a body is called, what it gave is scored, and a `Trial` comes out.

The runner knows neither pytest nor the store. It is given a bound body and scorers, and hands back records.
"""

from evalkit.runner.engine import Engine
from evalkit.runner.job import Finished, Job, run_job
from evalkit.runner.notes import Notes
from evalkit.runner.threads import Inline, Threads
from evalkit.runner.tries import run_tries

__all__ = ["Engine", "Finished", "Inline", "Job", "Notes", "Threads", "run_job", "run_tries"]
