"""How many calls a model gets at once: as many as are asked for, until it says that they are too many.

One `Limiter` serves a session, threads and event loops alike. Nothing is limited but what is asked through it.
"""

from evalkit.calling import Limits
from evalkit.limits.bucket import Bucket
from evalkit.limits.lane import Lane, Ticket
from evalkit.limits.limiter import Key, Limiter, Slot
from evalkit.limits.window import Window

__all__ = ["Bucket", "Key", "Lane", "Limiter", "Limits", "Slot", "Ticket", "Window"]
