"""layerwise: what a text encoder knows, at which layer, and what that costs in time.

The command is ``probe``; the parts are ``tasks``, ``encoders``, ``probes``, ``results``
and ``suite``, which joins them.
"""

__version__ = "0.1.0"
