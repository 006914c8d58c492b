"""Interlock's Lambda runtime: what the six functions of the deployed stack run.

Layers, each importing only those below it: ``handlers`` (AWS events in, answers out),
``control`` (what Interlock decides), ``jobs`` and ``aws`` (what it talks to), ``core`` (pure).
"""

__version__ = "0.1.0"
