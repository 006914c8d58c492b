"""``command``: a program, run here without a shell and waited for; meant for local use.

A program cannot be told from outside that it ran before. The run's token is in its environment
as ``INTERLOCK_RUN``, so that the program itself can tell.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from threading import Thread
from typing import IO

from interlock_runtime.core.errors import PermanentError
from interlock_runtime.core.job_documents import CommandConfig
from interlock_runtime.core.job_values import words_of
from interlock_runtime.jobs.contract import Call, Category, Failed, Started, Succeeded
from interlock_runtime.jobs.excerpts import EXCERPT_LENGTH

#: The environment variable by which a program recognises the run.
TOKEN_VARIABLE = "INTERLOCK_RUN"  # noqa: S105 - a name, not a secret

_OUTPUT_LIMIT = 65536


def start(call: Call[CommandConfig]) -> Started:
    """Run the program to its end, or to its time-out."""
    words = _words(call)
    timeout = call.config.timeout.total_seconds()
    run = call.services.program or _run
    code, output = run(words, {**call.services.environment, TOKEN_VARIABLE: call.run.token}, timeout)
    if code == 0:
        return Started(ended=Succeeded())
    headline = (
        f"the command did not end within {timeout:g} s" if code is None else f"the command ended with code {code}"
    )
    message = call.message(headline, call.templates.redact(output)[-EXCERPT_LENGTH:])
    return Started(ended=Failed(message, Category.TIMEOUT if code is None else Category.TRANSIENT))


def _run(words: Sequence[str], environment: Mapping[str, str], timeout: float) -> tuple[int | None, str]:
    try:
        process = subprocess.Popen(  # noqa: S603 - no shell, and the words are the pipeline's own
            words,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise PermanentError(f"the command {words[0]!r} cannot be run: {error}") from error
    return _waited_for(process, timeout)


def _words(call: Call[CommandConfig]) -> list[str]:
    """The words of the command; templates are filled in afterwards, so that a value is never split."""
    try:
        words = words_of(call.config.command)
    except ValueError as error:
        raise PermanentError(f"job.config.command {error}") from error
    return [call.templates.resolve(word, "job.config.command") for word in words]


def _waited_for(process: subprocess.Popen[bytes], timeout: float) -> tuple[int | None, str]:
    """The exit code, None when the program was ended for its time-out, and the end of its output."""
    assert process.stdout is not None
    kept = bytearray()
    # Read beside the wait, so that a full pipe cannot stop the program, nor endless output fill the memory.
    reader = Thread(target=_keep_end, args=(process.stdout, kept), daemon=True)
    reader.start()
    code: int | None
    try:
        code = process.wait(timeout)
    except subprocess.TimeoutExpired:
        code = None
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    reader.join(timeout=1)  # something that the program left running may hold the pipe open
    return code, kept.decode("utf-8", "replace")


def _keep_end(output: IO[bytes], kept: bytearray) -> None:
    with output:
        while piece := os.read(output.fileno(), _OUTPUT_LIMIT):
            kept += piece
            del kept[:-_OUTPUT_LIMIT]
