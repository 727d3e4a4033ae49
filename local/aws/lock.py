"""One thing happens at a time.

moto's backends are plain dictionaries without locks, and "look whether this ClientToken is known,
else launch" must not interleave with itself. Calls and scheduled actions take turns.
"""

import threading

LOCK = threading.RLock()
