"""Interlock for Python: a safety controller for data pipelines, as a CDKTF construct."""
