"""DynamoDB as far as Interlock's functions use it, and many times as fast as moto's: for simulations of many days.

Rows are looked up, not searched for, and of the language of expressions only what the functions
say is understood: conditions that an attribute is absent or has a value, changes that set and remove
whole attributes, queries by key. A test compares it with moto's tables; whatever else is asked is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from interlock_tf.local.aws_session import ServiceError
from interlock_tf.local.tables import Change, Item
from interlock_tf.local.terraform_json import Place, StackError

_ABSENT = re.compile(r"attribute_not_exists\((#?\w+)\)")
_EQUAL = re.compile(r"(#?\w+) = (:\w+)")
_BY_KEY = re.compile(r"(#?\w+) = (:\w+)(?: AND begins_with\((#?\w+), (:\w+)\))?")
_UPDATE = re.compile(r"(?:SET (?P<set>[^R]*?))?\s*(?:REMOVE (?P<remove>.*))?")

_Key = tuple[str, str]


class _Table:
    def __init__(self, keys: tuple[str, str], expiry: str | None, indexes: Mapping[str, tuple[str, str]]) -> None:
        self.keys = keys
        self.expiry = expiry
        self.indexes = indexes
        self.partitions: dict[str, dict[str, Item]] = {}
        #: By index and the value of its hash key: the keys of the rows that have it.
        self.indexed: dict[str, dict[str, dict[_Key, None]]] = {name: {} for name in indexes}

    def get(self, key: _Key) -> Item | None:
        return self.partitions.get(key[0], {}).get(key[1])

    def replace(self, key: _Key, old: Item | None, new: Item | None) -> None:
        partition = self.partitions.setdefault(key[0], {})
        if new is None:
            partition.pop(key[1], None)
        else:
            partition[key[1]] = new
        for name, (attribute, _) in self.indexes.items():
            before, after = (row.get(attribute, {}).get("S") if row else None for row in (old, new))
            if before != after:
                if before is not None:
                    self.indexed[name][before].pop(key, None)
                if after is not None:
                    self.indexed[name].setdefault(after, {})[key] = None

    def key(self, row: Item) -> _Key:
        try:
            hash_name, range_name = self.keys
            return row[hash_name]["S"], row[range_name]["S"]
        except KeyError as error:
            raise ServiceError("ValidationException", f"The row lacks the key {error.args[0]}") from None


class MemoryTables:
    """All tables; made and asked like :class:`~interlock_tf.local.tables.Tables`."""

    def __init__(self, _: Place) -> None:
        self.changed: Callable[[Change], None] = lambda _: None
        self.unchanged: Callable[[str, Item], None] = lambda *_: None
        self._tables: dict[str, _Table] = {}
        self._answers: Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
            "GetItem": self._get,
            "BatchGetItem": self._batch_get,
            "Query": self._query,
            "PutItem": self._put,
            "UpdateItem": self._update,
            "DeleteItem": self._delete,
        }

    def create(self, attributes: Mapping[str, Any]) -> None:
        """Make the table of an ``aws_dynamodb_table``."""
        expiry = attributes.get("ttl", {})
        self._tables[attributes["name"]] = _Table(
            (attributes["hash_key"], attributes["range_key"]),
            expiry.get("attribute_name") if expiry.get("enabled") else None,
            {
                index["name"]: (index["hash_key"], index["range_key"])
                for index in attributes.get("global_secondary_index", ())
            },
        )

    def answer(self, operation: str, call: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a call.

        Raises:
            ServiceError: DynamoDB would refuse it.
            StackError: it is in words that are not understood here.
        """
        found = self._answers.get(operation)
        if found is None:
            raise ServiceError("UnknownOperationException", f"{operation} of DynamoDB cannot be done here")
        return found(call)

    def rows(self, table: str) -> list[Item]:
        """All rows of a table, as DynamoDB's JSON, in the order of their keys."""
        partitions = self._table(table).partitions
        return [partition[sort] for _, partition in sorted(partitions.items()) for sort in sorted(partition)]

    def expire(self, now: datetime) -> None:
        """Delete every row whose time has come."""
        for name, table in self._tables.items():
            if table.expiry is None:
                continue
            for row in self.rows(name):
                if float(row.get(table.expiry, {}).get("N", "inf")) <= now.timestamp():
                    table.replace(table.key(row), row, None)
                    keys = {each: row[each] for each in table.keys}
                    self.changed(Change(table=name, keys=keys, old=row, new=None, by_expiry=True))

    def _table(self, name: str) -> _Table:
        if name not in self._tables:
            raise ServiceError("ResourceNotFoundException", f"Requested resource not found: {name}")
        return self._tables[name]

    def _get(self, call: Mapping[str, Any]) -> Mapping[str, Any]:
        table = self._table(call["TableName"])
        row = table.get(table.key(call["Key"]))
        return {} if row is None else {"Item": row}

    def _batch_get(self, call: Mapping[str, Any]) -> Mapping[str, Any]:
        found: dict[str, list[Item]] = {}
        for name, wanted in call["RequestItems"].items():
            table = self._table(name)
            rows = (table.get(table.key(key)) for key in wanted["Keys"])
            found[name] = [row for row in rows if row is not None]
        return {"Responses": found, "UnprocessedKeys": {}}

    def _query(self, call: Mapping[str, Any]) -> Mapping[str, Any]:
        table = self._table(call["TableName"])
        match = _understood(_BY_KEY, call["KeyConditionExpression"])
        names, values = call.get("ExpressionAttributeNames", {}), call["ExpressionAttributeValues"]
        wanted, beginning = values[match[2]]["S"], values[match[4]]["S"] if match[4] else ""
        index = call.get("IndexName")
        keys = table.indexes[index] if index else table.keys
        if names.get(match[1], match[1]) != keys[0] or (match[3] and names.get(match[3], match[3]) != keys[1]):
            raise StackError(f"the query {call['KeyConditionExpression']!r} is not by the key, and not understood here")
        rows: Iterator[Item | None]
        if index:
            rows = map(table.get, table.indexed[index].get(wanted, ()))
        else:
            rows = iter(table.partitions.get(wanted, {}).values())
        found = [row for row in rows if row and keys[1] in row and str(_plain(row[keys[1]])).startswith(beginning)]
        order = (keys[1], *table.keys)
        found.sort(key=lambda row: [_plain(row[name]) for name in order])
        if call.get("ScanIndexForward") is False:
            found.reverse()
        return {"Items": found, "Count": len(found), "ScannedCount": len(found)}

    def _put(self, call: Mapping[str, Any]) -> Mapping[str, Any]:
        self._write(call, call["Item"], lambda _: dict(call["Item"]))
        return {}

    def _update(self, call: Mapping[str, Any]) -> Mapping[str, Any]:
        match = _understood(_UPDATE, call["UpdateExpression"])
        names, values = call.get("ExpressionAttributeNames", {}), call.get("ExpressionAttributeValues", {})
        sets = [_understood(_EQUAL, each) for each in _parts(match["set"], ", ")]
        removed = [names.get(each, each) for each in _parts(match["remove"], ", ")]

        def changed(old: Item | None) -> Item:
            new = dict(old or call["Key"])
            new.update({names.get(each[1], each[1]): values[each[2]] for each in sets})
            for name in removed:
                new.pop(name, None)
            return new

        new = self._write(call, call["Key"], changed)
        return {"Attributes": new} if call.get("ReturnValues") == "ALL_NEW" else {}

    def _delete(self, call: Mapping[str, Any]) -> Mapping[str, Any]:
        self._write(call, call["Key"], lambda _: None)
        return {}

    def _write(self, call: Mapping[str, Any], row: Item, change: Callable[[Item | None], Item | None]) -> Item | None:
        table = self._table(call["TableName"])
        key = table.key(row)
        old = table.get(key)
        if not _holds(call, old):
            wants_row = call.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and old is not None
            extra = {"Item": old} if wants_row else {}
            raise ServiceError("ConditionalCheckFailedException", "The conditional request failed", extra=extra)
        new = change(old)
        table.replace(key, old, new)
        if old != new:
            keys = {name: row[name] for name in table.keys}
            self.changed(Change(table=call["TableName"], keys=keys, old=old, new=new))
        elif new is not None:
            self.unchanged(call["TableName"], new)
        return new


def _holds(call: Mapping[str, Any], row: Item | None) -> bool:
    names, values = call.get("ExpressionAttributeNames", {}), call.get("ExpressionAttributeValues", {})
    for part in _parts(call.get("ConditionExpression"), " AND "):
        if match := _ABSENT.fullmatch(part):
            if names.get(match[1], match[1]) in (row or {}):
                return False
            continue
        match = _understood(_EQUAL, part)
        has = (row or {}).get(names.get(match[1], match[1]))
        if has is None or _plain(has) != _plain(values[match[2]]) or has.keys() != values[match[2]].keys():
            return False
    return True


def _parts(text: str | None, separator: str) -> list[str]:
    return [part.strip() for part in text.split(separator)] if text else []


def _understood(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    match = pattern.fullmatch(text)
    if match is None:
        raise StackError(f"the expression {text!r} is not understood by these tables; moto's understand it")
    return match


def _plain(value: Mapping[str, Any]) -> Any:
    """A value so that equal ones compare as equal: numbers by what they are, not by how they are spelt."""
    ((kind, content),) = value.items()
    if kind == "N":
        return Decimal(content)
    if kind == "M":
        return {name: _plain(each) for name, each in content.items()}
    return [_plain(each) for each in content] if kind == "L" else content
