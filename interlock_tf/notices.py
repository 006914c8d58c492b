"""How synthesis speaks to people: warnings that do not stop it, and problems without a traceback."""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from interlock_runtime.core.errors import ConfigError
from interlock_tf._cdk import Annotations, Construct
from interlock_tf.settings import Settings
from interlock_tf.terraform_values import is_token

#: The ``cdktf`` command sets it, and shows the annotations of the construct itself.
_UNDER_CDKTF = "CDKTF_CONTINUE_SYNTH_ON_ERROR_ANNOTATIONS"

_PRODUCTION = re.compile(r"(?:^|-)(?:prod|production|prd|live)(?:-|$)", re.IGNORECASE)

Hook = Callable[[type[BaseException], BaseException, TracebackType | None], object]

_OWN_FOLDERS = (str(Path(__file__).parent), f"{os.sep}jsii{os.sep}")


class InterlockWarning(UserWarning):
    """Something that works, and that hardly can have been meant."""


def warn(scope: Construct, message: str, environment: Mapping[str, str] = os.environ) -> None:
    """Tell a person, once, wherever synthesis runs: by the ``cdktf`` command or by Python alone."""
    Annotations.of(scope).add_warning(message)
    if _UNDER_CDKTF not in environment:
        warnings.warn(message, InterlockWarning, stacklevel=_depth_of_caller())


def advice(settings: Settings) -> Iterator[str]:
    """What of the settings works, and hardly can have been meant."""
    if settings.slack_bot_token and settings.slack_secret_arn is not None:
        yield "slack_bot_token is not used: the token is read from slack_secret_arn; leave it out"
    elif settings.slack_bot_token and not is_token(settings.slack_bot_token):
        yield (
            "slack_bot_token is in clear: it will stand in the output folder, in Terraform's state and in the "
            "function's configuration; give slack_secret_arn, or a sensitive Terraform variable"
        )
    slack = settings.slack_channel_id and (settings.slack_bot_token or settings.slack_secret_arn is not None)
    if not slack and settings.sns_alarm_topic_arn is None:
        yield (
            "nobody will be told: alerts are only logged; give slack_channel_id with slack_secret_arn, "
            "or sns_alarm_topic_arn"
        )
    if _PRODUCTION.search(settings.environment) and not settings.deletion_protection:
        yield (
            f"environment {settings.environment!r} looks like production, and deletion_protection is off: "
            "terraform destroy would remove the tables with everything in them"
        )


@contextmanager
def problems_without_traceback() -> Iterator[None]:
    """Have a ConfigError that nobody catches printed as its problems, without a traceback."""
    try:
        yield
    except ConfigError:
        sys.excepthook = _telling(sys.excepthook)
        raise


def _telling(otherwise: Hook) -> Hook:
    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, ConfigError):
            sys.stderr.write(f"{error}\n")
        else:
            otherwise(kind, error, trace)

    return tell


def _depth_of_caller() -> int:
    """How far up the stack the code is that is neither ours nor CDKTF's engine."""
    depth, frame = 1, sys._getframe(2)
    while frame.f_back is not None and any(folder in frame.f_code.co_filename for folder in _OWN_FOLDERS):
        depth, frame = depth + 1, frame.f_back
    return depth + 1
