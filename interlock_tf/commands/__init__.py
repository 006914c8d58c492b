"""The commands of ``interlock-tf``, a module each.

A command's module has its help in its docstring and two functions: ``add_arguments(parser)``
declares the options, ``run(arguments)`` does the work and returns the exit code. It is imported
when its command is given, so what it needs costs the others nothing. User mistakes are raised as
:class:`~interlock_runtime.core.errors.InterlockError`.
"""
