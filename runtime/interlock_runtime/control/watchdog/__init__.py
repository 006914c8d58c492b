"""The watchdog: nine checks for what should have happened and did not, one module each.

A check is a function that makes a look (:mod:`interlock_runtime.control.looks`) at one subject: a
pipeline, or a row that stands on ``kind-index`` because somebody still has to look at it.
:mod:`~interlock_runtime.control.watchdog.passes` has the table of the checks and drives them.

All of them pass over dry runs and excluded execution dates. The looks at rows only take such a
row off the index when its time has come; what the router would have done about a failure or a
request is left to the router's own code, which knows what such dates mean.
"""
