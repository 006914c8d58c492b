"""A simulated time as one HTML page that needs nothing else: inline SVG and CSS, no script, no network.

From the entries to the page: :mod:`~interlock_tf.local.page.lanes` makes a lane of items for each
pipeline, :mod:`~interlock_tf.local.page.packing` finds each item a place where nothing else is,
:mod:`~interlock_tf.local.page.drawing` draws a lane, and :mod:`~interlock_tf.local.page.document`
writes the page. The same entries give the same bytes.
"""

from __future__ import annotations

from interlock_tf.local.page.document import page

__all__ = ["page"]
