"""``http``: one request; the job has ended when the answer comes.

The run's token goes along as the header ``Idempotency-Key``, for services that honour it.
"""

from __future__ import annotations

from interlock_runtime.core.job_documents import HttpConfig
from interlock_runtime.jobs import rest
from interlock_runtime.jobs.contract import Call, Failed, Started, Succeeded
from interlock_runtime.jobs.network import Request


def start(call: Call[HttpConfig]) -> Started:
    """Send the request. Below 400 is a success, redirects included; they are not followed."""
    config = call.resolved()
    content, described = rest.content_of(config.body)
    headers = rest.merged({"Idempotency-Key": call.run.token, **described}, config.headers)
    request = Request(method=config.method, url=config.url, headers=headers, body=content)
    with call.services.network.exchange(request, timeout=config.timeout.total_seconds()) as answer:
        if answer.status < 400:
            return Started(ended=Succeeded())
        message = call.message(f"answered with HTTP {answer.status}", answer.body())
    return Started(ended=Failed(message, rest.category(answer.status)))
