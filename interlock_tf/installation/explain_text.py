"""``explain`` as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from interlock_runtime.core.documents import Rule
from interlock_runtime.core.numbers import plain
from interlock_runtime.core.rules import RuleResult
from interlock_runtime.core.wording import shown
from interlock_tf.installation.explanation import Explanation
from interlock_tf.installation.screen import clean
from interlock_tf.installation.standings import NextLook, State
from interlock_tf.installation.status_text import STYLES
from interlock_tf.installation.times import distance, local, rough

Part = Table | Text | Padding

_OUTCOMES = {
    "open": ("open", ""),
    "warned": ("near", "warn"),
    "met": ("met", "good"),
    "missed": ("missed", "bad"),
    "off": ("not watched", "faint"),
}


def explain_parts(found: Explanation) -> Iterator[Part]:
    """The answer from the state to what comes next; what there is nothing of is left out."""
    zone = found.standing.facts.pipeline.schedule.timezone
    yield _title(found)
    yield _state(found, zone)
    yield from (_bullet(why) for why in found.why)
    yield from _rules(found)
    yield from _deadlines(found)
    yield from _job_log(found, zone)
    yield from _reruns(found, zone)
    yield from _next(found, zone)


def _title(found: Explanation) -> Text:
    facts = found.standing.facts
    pipeline = facts.pipeline
    text = Text(pipeline.id, "head").append(f" for {facts.key.date}", "head")
    words = [f"schedule {facts.key.schedule_id}", pipeline.schedule.timezone.key]
    words += [f"owner {clean(pipeline.pipeline.owner)}"] if pipeline.pipeline.owner else []
    words += ["dry run"] if pipeline.dry_run else []
    return text.append(f" ({', '.join(words)})", "faint")


def _state(found: Explanation, zone: ZoneInfo) -> Text:
    standing, run = found.standing, found.standing.facts.run
    text = Text("State: ").append(str(standing.state), STYLES[standing.state])
    if run is not None and not run.is_expired:
        text.append(f", attempt {run.attempt}")
        text.append(f", {clean(run.reason)}" if standing.state is State.FAILED and run.reason else "")
    if standing.since is not None:
        text.append(f", since {local(standing.since, zone)} ({rough(standing.now - standing.since)})")
    return text


def _rules(found: Explanation) -> Iterator[Part]:
    standing, pipeline, told = found.standing, found.standing.facts.pipeline, found.why
    if standing.trigger is not None:
        yield from _section("Trigger condition", _rule_table([standing.trigger]))
        yield from _failures([standing.trigger], told)
    validation = standing.validation
    if validation.results:
        wanted = "one must hold" if validation.mode == "ANY" else "all must hold"
        yield from _section(f"Constraints, as the sensors are now ({wanted})", _rule_table(validation.results))
        yield from _failures(validation.results, told)
    else:
        yield from _section("Constraints: none, so the job starts at once")
    if standing.post_run is not None and standing.post_run.results:
        yield from _section("After the run, as the sensors are now", _rule_table(standing.post_run.results))
        yield from _failures(standing.post_run.results, told)
    if pipeline.post_run is not None:
        field, threshold = pipeline.post_run.drift_field, shown(pipeline.post_run.drift_threshold)
        yield Text(f"  A change of {clean(field)} by more than {threshold} is drift.", "faint")
        yield from _drift(found)


def _drift(found: Explanation) -> Iterator[Padding]:
    """What the post-run sensors were, and those that are not any more."""
    if found.baseline is None:
        return
    for key, fields in found.baseline.items():
        seen = ", ".join(f"{clean(name)}={shown(value)}" for name, value in fields.items())
        yield _bullet(f"the attempt saw {key} with {seen or 'no such number'}")
    for each in found.drifts:
        told = each.describe()
        yield _bullet(f"drift: {each.sensor_key} was {told['previous']}, is {told['current']}")


def _rule_table(results: Iterable[RuleResult]) -> Table:
    table = _table("RULE", "OBSERVED", "AGE", "VERDICT")
    for result in results:
        observed = "-" if result.sensor_key is None else _observed(result)
        age = "-" if result.age is None else rough(result.age)
        verdict = Text("holds", "good") if result.passed else Text("fails", "bad")
        table.add_row(Text(condition(result.rule)), Text(observed), Text(age), verdict)
    return table


def condition(rule: Rule) -> str:
    """``orders-loaded: row_count gte 1000``."""
    checked = " ".join(each for each in (rule.field, rule.check) if each)
    value = "" if rule.check == "exists" else f" {rule.value if isinstance(rule.value, str) else shown(rule.value)}"
    return clean(f"{rule.key}: {checked}{value}")


def _observed(result: RuleResult) -> str:
    if result.rule.field is None:
        return "there"
    observed = result.observed
    if observed is None:
        return "nothing"
    return clean(observed) if isinstance(observed, str) and len(observed) <= 40 else shown(plain(observed))


def _failures(results: Iterable[RuleResult], told: Sequence[str]) -> Iterator[Padding]:
    """Why rules fail, but for what has been told above."""
    return (_bullet(each.reason) for each in results if not each.passed and each.reason not in told)


def _deadlines(found: Explanation) -> Iterator[Part]:
    if not found.standing.due:
        return
    table = _table("DEADLINE", "LIMIT", "AT", "", "OUTCOME")
    for due in found.standing.due:
        words, style = _OUTCOMES[due.outcome]
        what = {"sla": "SLA", "relative": "SLA from the first sensor", "trigger": "start"}[due.what]
        what += ", critical" if due.critical else ""
        away = distance(due.at, found.standing.now)
        table.add_row(what, due.limit, local(due.at, due.zone), Text(away, "faint"), Text(words, style))
    yield from _section("Deadlines", table)


def _job_log(found: Explanation, zone: ZoneInfo) -> Iterator[Part]:
    if not found.entries:
        return
    table = _table("AT", "EVENT", "ATTEMPT", "RUN", "ERROR")
    for entry in found.entries:
        attempt = "-" if entry.attempt is None else str(entry.attempt)
        error = ": ".join(dict.fromkeys(each for each in (entry.category, entry.error) if each))
        told = map(clean, (entry.event, attempt, entry.run_id or "-", error or "-"))
        table.add_row(_clock(entry.at, zone), *told)
    yield from _section("Job log", table)


def _reruns(found: Explanation, zone: ZoneInfo) -> Iterator[Part]:
    if found.reruns:
        table = _table("ATTEMPT", "REASON", "TRIGGERED AT")
        for again in found.reruns:
            at = "-" if again.at is None else _clock(again.at, zone)
            table.add_row(str(again.attempt), clean(again.reason), at)
        yield from _section("Reruns", table)
    yield from _section("Budgets of this date: " + ", ".join(map(str, found.budgets)))
    if found.refusal is None:
        yield Text("A rerun request would be accepted now.")
    else:
        yield Text(f"A rerun request would be refused now: {clean(found.refusal.why)}")


def _next(found: Explanation, zone: ZoneInfo) -> Iterator[Text]:
    now, start, look = found.standing.now, found.next_start, found.standing.next_look
    if look is not None:
        yield Text(_look(look, now, zone))
    if start is not None:
        clock = "cron" if found.standing.facts.pipeline.schedule.cron else "schedule.time"
        yield Text(f"Next start by {clock}: {local(start.at, zone)}, for {start.date} ({distance(start.at, now)}).")


def _look(look: NextLook, now: datetime, zone: ZoneInfo) -> str:
    told = f"Looks at {look.what} again about {local(look.at, zone)} ({distance(look.at, now)}, an estimate)"
    return told + (f", until {local(look.until, zone)}." if look.until is not None else ".")


def _section(title: str, table: Table | None = None) -> Iterator[Part]:
    yield Text("")
    yield Text(title, "head")
    if table is not None:
        yield Padding(table, (0, 0, 0, 2))


def _table(*titles: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="faint")
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def _bullet(text: str) -> Padding:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_row(Text("-"), Text(clean(text)))
    return Padding(grid, (0, 0, 0, 2))


def _clock(instant: datetime, zone: ZoneInfo) -> str:
    return local(instant.replace(microsecond=0), zone)
