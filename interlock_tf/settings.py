"""The variables of an installation, validated once.

Names, types and defaults are those of the table in ``README.md``. What is wrong with
them is collected and raised as one :class:`ConfigError`, each problem naming its variable.

A value may be a Terraform token (an attribute of another resource, a Terraform variable)
wherever only Terraform reads it: ARNs, tags, the Slack channel and token. Where synthesis itself
needs the value, a token is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from interlock_runtime.core.errors import ConfigError, Problem
from interlock_tf.schedule_expressions import check_schedule, rate
from interlock_tf.terraform_values import holds_list, is_token, is_unresolved

SfnLogLevel = Literal["OFF", "ERROR", "ALL"]
LambdaRuntime = Literal["python3.12", "python3.13"]

#: The first AWS provider that knows each runtime, and tags on event source mappings (5.70).
PROVIDER_SINCE: Mapping[LambdaRuntime, str] = {"python3.12": "5.70", "python3.13": "5.76"}

#: The retention periods that CloudWatch Logs accepts, in days; 0 keeps logs for ever.
LOG_RETENTION_DAYS = (
    0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip

#: How long an execution may take, unless somebody says otherwise.
DEFAULT_SFN_TIMEOUT_SECONDS = 14_400

#: The longest physical name that a limit of 64 characters applies to, without the environment and the suffix.
LONGEST_NAME = "-interlock-alert-dispatcher"

#: What Lambda's 4 KB for all variables of a function leave for ``orchestrator_environment`` and
#: ``allowed_private_hosts`` together.
ENVIRONMENT_BYTES = 3072

_ENVIRONMENT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_SUFFIX = re.compile(r"[A-Za-z0-9-]*[A-Za-z0-9]")
_ARN_PATTERN = re.compile(r"arn:[^:\s]+:[^:\s]+:[^:\s]*:[^:\s]*:\S+")
_VARIABLE = re.compile(r"INTERLOCK_[A-Z0-9_]+")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_GROUP = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")


@dataclass(frozen=True, kw_only=True)
class Concurrency:
    """Reserved concurrency per function; -1 reserves nothing.

    AWS keeps 100 of an account's executions unreserved. The defaults reserve 35, so an account
    whose quota is still the initial 10 needs :meth:`unreserved`.
    """

    stream_router: int = 10
    orchestrator: int = 10
    sla_monitor: int = 5
    watchdog: int = 2
    event_sink: int = 5
    alert_dispatcher: int = 3

    @classmethod
    def unreserved(cls) -> Concurrency:
        """Reserve nothing, for every function."""
        return cls(**{each.name: -1 for each in fields(cls)})


@dataclass(frozen=True, kw_only=True)
class VpcConfig:
    """Subnets and security groups for the two functions that call out: orchestrator and alert-dispatcher."""

    subnet_ids: tuple[str, ...]
    security_group_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every variable of an installation.

    ``None`` for a list of ARNs means "what the pipelines name", and for an ``enable_`` switch
    "exactly when a pipeline uses that job type".
    """

    environment: str
    pipelines_path: str | Path
    calendars_path: str | Path | None = None
    pipeline_variables: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    dist_path: str | Path | None = None
    name_suffix: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    lambda_runtime: LambdaRuntime = "python3.13"
    lambda_memory_size: int = 128
    watchdog_memory_size: int = 512
    lambda_concurrency: Concurrency = field(default_factory=Concurrency)
    log_retention_days: int = 30
    vpc_config: VpcConfig | None = None
    kms_key_arn: str | None = None
    deletion_protection: bool = False

    watchdog_schedule: str = "rate(5 minutes)"
    sfn_timeout_seconds: int = DEFAULT_SFN_TIMEOUT_SECONDS
    sfn_log_level: SfnLogLevel = "ERROR"
    trigger_max_attempts: int = 3
    trigger_retention_days: int = 400
    events_table_ttl_days: int = 90

    enable_glue_trigger: bool | None = None
    enable_emr_trigger: bool | None = None
    enable_emr_serverless_trigger: bool | None = None
    enable_sfn_trigger: bool | None = None
    enable_lambda_trigger: bool | None = None
    glue_job_arns: tuple[str, ...] | None = None
    glue_log_groups: tuple[str, ...] = ()
    emr_cluster_arns: tuple[str, ...] | None = None
    emr_serverless_app_arns: tuple[str, ...] | None = None
    emr_serverless_job_role_arns: tuple[str, ...] | None = None
    sfn_trigger_arns: tuple[str, ...] | None = None
    lambda_trigger_arns: tuple[str, ...] | None = None
    orchestrator_environment: Mapping[str, str] = field(default_factory=dict)
    allowed_private_hosts: tuple[str, ...] = ()

    slack_channel_id: str = ""
    slack_bot_token: str = field(default="", repr=False)
    slack_secret_arn: str | None = None
    sns_alarm_topic_arn: str | None = None
    extended_alarms: bool = False
    dashboard: bool = True

    @property
    def watchdog_interval(self) -> timedelta | None:
        """How long it is from one pass of the watchdog to the next; None when a cron says so."""
        return rate(self.watchdog_schedule)

    @classmethod
    def of(cls, **variables: Any) -> Settings:
        """Take the variables as a person gives them: lists for tuples, an empty string for no value.

        Raises:
            ConfigError: every unknown or missing variable, and every value that cannot work.
        """
        known = {each.name: each for each in fields(cls)}
        problems = [Problem(path=name, message="is not a variable of Interlock") for name in variables.keys() - known]
        problems += [
            Problem(path=name, message="is required")
            for name in ("environment", "pipelines_path")
            if variables.get(name) is None
        ]
        if problems:
            raise ConfigError(sorted(problems))
        taken = {name: _taken(name, value) for name, value in variables.items()}
        return replace(cls(environment="unset", pipelines_path="unset"), **taken)

    def __post_init__(self) -> None:
        problems = tuple(self._problems())
        if problems:
            raise ConfigError(problems)

    def _problems(self) -> Iterator[Problem]:
        yield from self._types()
        yield from self._names()
        yield from self._numbers()
        yield from self._arns()
        yield from self._mappings()

    def _types(self) -> Iterator[Problem]:
        for name, kinds, wanted in _TYPES:
            value = getattr(self, name)
            if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in _flat(kinds)):
                yield _wrong(name, value, wanted)
            elif isinstance(value, str) and name in _LITERALS and is_token(value):
                yield _token(name)
        for name in _PATHS:
            value = getattr(self, name)
            if isinstance(value, str) and is_token(value):
                yield _token(name)
            elif value is not None and not isinstance(value, (str, Path)):
                yield _wrong(name, value, "a path")
        if self.pipelines_path == "":
            yield Problem(path="pipelines_path", message="is empty; it names the directory with the pipeline files")

    def _names(self) -> Iterator[Problem]:
        environment, suffix = self.environment, self.name_suffix
        if not isinstance(environment, str) or not isinstance(suffix, str) or is_token(environment) or is_token(suffix):
            return
        if not _ENVIRONMENT.fullmatch(environment):
            yield _wrong("environment", environment, "letters, digits and '-', a letter or digit at both ends")
        if suffix and not _SUFFIX.fullmatch(suffix):
            yield _wrong("name_suffix", suffix, "letters, digits and '-', a letter or digit at its end")
        length = len(environment) + len(LONGEST_NAME) + (len(suffix) + 1 if suffix else 0)
        if length > 64:
            yield Problem(
                path="environment",
                message=f"{environment!r}{f' with name_suffix {suffix!r}' if suffix else ''} is {length - 64} "
                f"characters too long: functions and roles such as {environment}{LONGEST_NAME} may have 64",
            )

    def _numbers(self) -> Iterator[Problem]:
        for name, low, high, why in _BOUNDS:
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool):
                yield _wrong(name, value, f"a whole number from {low} to {high} ({why})")
            elif not low <= value <= high:
                yield _wrong(name, value, f"{low} to {high} ({why})")
        if self.log_retention_days not in LOG_RETENTION_DAYS:
            allowed = ", ".join(map(str, LOG_RETENTION_DAYS))
            yield _wrong("log_retention_days", self.log_retention_days, f"what CloudWatch Logs accepts: {allowed}")
        if isinstance(self.lambda_concurrency, Concurrency):
            for each in fields(Concurrency):
                value = getattr(self.lambda_concurrency, each.name)
                if not isinstance(value, int) or isinstance(value, bool) or not (value == -1 or 1 <= value <= 100_000):
                    yield _wrong(f"lambda_concurrency.{each.name}", value, "1 to 100000, or -1 to reserve nothing")
        for name, choices in (("sfn_log_level", get_args(SfnLogLevel)), ("lambda_runtime", get_args(LambdaRuntime))):
            value = getattr(self, name)
            if value not in choices:
                yield _wrong(name, value, "one of " + ", ".join(choices))
        schedule = self.watchdog_schedule
        if isinstance(schedule, str) and not is_token(schedule):
            try:
                check_schedule(schedule)
            except ValueError as error:
                wanted = "such as rate(5 minutes) or cron(0/5 * * * ? *)"
                yield _wrong("watchdog_schedule", schedule, wanted, reason=str(error))

    def _arns(self) -> Iterator[Problem]:
        for name, (pattern, wanted) in _ARNS.items():
            value = getattr(self, name)
            if value is not None and not (isinstance(value, str) and (is_token(value) or pattern.fullmatch(value))):
                yield _wrong(name, value, f"the ARN of {wanted}, or None")
        for name in _ARN_LISTS:
            values = getattr(self, name)
            if values is None:
                continue
            if not isinstance(values, tuple):
                yield _wrong(name, values, "a list of ARNs, or None for what the pipelines name")
                continue
            if holds_list(values):
                yield _token(name)
                continue
            for value in values:
                if not isinstance(value, str) or not (value == "*" or is_token(value) or _ARN_PATTERN.fullmatch(value)):
                    yield _wrong(name, value, "a list of ARNs, or ['*']")
        if isinstance(self.vpc_config, VpcConfig):
            for each in fields(VpcConfig):
                values = getattr(self.vpc_config, each.name)
                ids = values if isinstance(values, (list, tuple)) else ()
                if not ids or not all(isinstance(value, str) for value in ids):
                    yield _wrong(f"vpc_config.{each.name}", values, "a list of ids, not empty")

    def _tags(self) -> Iterator[Problem]:
        pairs = [(key, value) for key, value in _pairs(self.tags) if isinstance(key, str) and isinstance(value, str)]
        if len(pairs) > 50:
            yield Problem(path="tags", message=f"are {len(pairs)}, and AWS allows 50 for a resource")
        for key, value in pairs:
            if not 1 <= len(key) <= 128 or key.lower().startswith("aws:"):
                yield _wrong("tags", key, "keys of 1 to 128 characters that do not start with aws:")
            if len(value) > 256 and not is_token(value):
                yield _wrong(f"tags[{key!r}]", value, "at most 256 characters")

    def _environment_size(self) -> Iterator[Problem]:
        """What goes into the environment of one function and may be of any length."""
        pairs, hosts = _pairs(self.orchestrator_environment), self.allowed_private_hosts
        sizes = {
            "orchestrator_environment": sum(len(str(part).encode()) for pair in pairs for part in pair),
            "allowed_private_hosts": len(",".join(map(str, hosts)).encode()) if isinstance(hosts, tuple) else 0,
        }
        if sum(sizes.values()) <= ENVIRONMENT_BYTES:
            return
        free = f"Lambda allows 4 KB for all variables of a function, and {ENVIRONMENT_BYTES:,} of it are free"
        too_long = [name for name, size in sizes.items() if size > ENVIRONMENT_BYTES]
        for name in too_long:
            yield Problem(path=name, message=f"is {sizes[name]:,} bytes long; {free}")
        if not too_long:
            longer, shorter = sorted(sizes, key=lambda name: -sizes[name])
            message = f"is {sizes[longer]:,} bytes long, and {shorter} {sizes[shorter]:,}; {free} for both"
            yield Problem(path=longer, message=message)

    def _mappings(self) -> Iterator[Problem]:
        for name in _STRING_MAPPINGS:
            for key, each in _pairs(getattr(self, name)):
                if not isinstance(key, str) or not isinstance(each, str):
                    yield _wrong(f"{name}[{key!r}]", each, "a string for a string")
        yield from self._tags()
        yield from self._environment_size()
        for key, _ in _pairs(self.orchestrator_environment):
            if not isinstance(key, str) or not _VARIABLE.fullmatch(key):
                yield _wrong("orchestrator_environment", key, "names in capitals that start with INTERLOCK_")
        if "environment" in dict(_pairs(self.pipeline_variables)):
            yield Problem(
                path="pipeline_variables", message="cannot have 'environment': it is the variable of that name"
            )
        for name, pattern, wanted in (
            ("allowed_private_hosts", _HOST, "host names without scheme, port or path"),
            ("glue_log_groups", _GROUP, "names of log groups"),
        ):
            values = getattr(self, name)
            if not isinstance(values, tuple):
                yield _wrong(name, values, f"a list of {wanted}")
                continue
            for value in values:
                if not isinstance(value, str) or is_token(value) or not pattern.fullmatch(value):
                    yield _wrong(name, value, wanted)


def _arn(service: str, resource: str) -> re.Pattern[str]:
    return re.compile(rf"arn:[a-z0-9-]+:{service}:[a-z0-9-]+:[0-9]{{12}}:{resource}")


#: (variable, accepted classes, in words)
_TYPES: tuple[tuple[str, Any, str], ...] = (
    ("environment", str, "a string"),
    ("name_suffix", str, "a string"),
    ("watchdog_schedule", str, "a schedule expression"),
    ("slack_channel_id", str, "a string"),
    ("slack_bot_token", str, "a string"),
    ("tags", Mapping, "a mapping of strings"),
    ("pipeline_variables", Mapping, "a mapping of names to values"),
    ("orchestrator_environment", Mapping, "a mapping of strings"),
    ("lambda_concurrency", Concurrency, "a Concurrency"),
    ("vpc_config", (VpcConfig, type(None)), "a VpcConfig, or None"),
    ("deletion_protection", bool, "True or False"),
    ("extended_alarms", bool, "True or False"),
    ("dashboard", bool, "True or False"),
    ("enable_glue_trigger", (bool, type(None)), "True, False or None"),
    ("enable_emr_trigger", (bool, type(None)), "True, False or None"),
    ("enable_emr_serverless_trigger", (bool, type(None)), "True, False or None"),
    ("enable_sfn_trigger", (bool, type(None)), "True, False or None"),
    ("enable_lambda_trigger", (bool, type(None)), "True, False or None"),
)
_LITERALS = ("environment", "name_suffix", "watchdog_schedule")
_PATHS = ("pipelines_path", "calendars_path", "dist_path")
_MAPPINGS = ("tags", "pipeline_variables", "orchestrator_environment")
_STRING_MAPPINGS = ("tags", "orchestrator_environment")

#: (variable, least, most, why)
_BOUNDS: tuple[tuple[str, int, int, str], ...] = (
    ("lambda_memory_size", 128, 10240, "MB, as Lambda allows"),
    ("watchdog_memory_size", 128, 10240, "MB, as Lambda allows"),
    ("sfn_timeout_seconds", 60, 31_536_000, "seconds; a Step Functions execution ends after a year"),
    ("trigger_max_attempts", 0, 20, "retries, each after twice the time of the one before"),
    ("trigger_retention_days", 31, 3650, "days; job-log and rerun rows live 30"),
    ("events_table_ttl_days", 1, 3650, "days"),
)
#: (variable, what its ARN looks like, in words)
_ARNS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "kms_key_arn": (_arn("kms", r"key/[A-Za-z0-9-]+"), "a KMS key (arn:aws:kms:…:key/…, no alias)"),
    "slack_secret_arn": (_arn("secretsmanager", r"secret:\S+"), "a secret (arn:aws:secretsmanager:…:secret:…)"),
    "sns_alarm_topic_arn": (_arn("sns", r"[A-Za-z0-9_.-]+"), "a topic (arn:aws:sns:…)"),
}
_ARN_LISTS = (
    "glue_job_arns",
    "emr_cluster_arns",
    "emr_serverless_app_arns",
    "emr_serverless_job_role_arns",
    "sfn_trigger_arns",
    "lambda_trigger_arns",
)
_TEXTS = (*_ARNS, "slack_channel_id", "slack_bot_token")
_LISTS = (*_ARN_LISTS, "glue_log_groups", "allowed_private_hosts")
_OPTIONAL = (*_ARNS, "calendars_path", "dist_path")


def _taken(name: str, value: Any) -> Any:
    if name in _OPTIONAL and isinstance(value, str) and value == "":
        return None
    if name in _LISTS and isinstance(value, list):
        return tuple(value)
    if name in _MAPPINGS and isinstance(value, Mapping):
        return dict(value)
    return value


def _flat(kinds: Any) -> Iterable[type]:
    return kinds if isinstance(kinds, tuple) else (kinds,)


def _pairs(mapping: object) -> list[tuple[Any, Any]]:
    return list(mapping.items()) if isinstance(mapping, Mapping) else []


def _wrong(name: str, value: object, wanted: str, *, reason: str = "") -> Problem:
    if is_unresolved(value):
        return _token(name)
    shown = "(hidden)" if name == "slack_bot_token" else repr(value)
    because = f": {reason}" if reason else ""
    return Problem(
        path=name,
        message=f"{shown if len(shown) <= 80 else shown[:77] + '...'} is not valid{because}; expected {wanted}",
    )


def _token(name: str) -> Problem:
    if name in _ARN_LISTS:
        return Problem(path=name, message="is a list that only Terraform knows; list the ARNs one by one")
    if name in _TEXTS or "[" in name:
        return Problem(path=name, message="is a Terraform value of another type; give it as a string")
    return Problem(path=name, message="is a Terraform token, but synthesis itself needs the value: give a literal")
