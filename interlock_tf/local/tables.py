"""DynamoDB: moto's tables, called in this process, with streams and expiry of their own.

moto evaluates every expression. Three things it does not do as AWS does: its stream records (an
upsert gives two, a write that changes nothing gives one), expiry (never), and queries, which read
every row of the table and parse for longer than that takes. Queries by key alone, which are all
that the functions make, are answered here from moto's rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.utils import camelcase_to_underscores
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.utilities import dynamo_to_dict
from moto.dynamodb.responses import DynamoHandler
from werkzeug.exceptions import HTTPException

from interlock_tf.local.aws_session import ServiceError
from interlock_tf.local.terraform_json import Place

Item = dict[str, Any]

#: The keys that an operation writes, by table.
_WRITES: Mapping[str, Callable[[Mapping[str, Any]], Iterator[tuple[str, Item]]]] = {
    "PutItem": lambda call: iter([(call["TableName"], call["Item"])]),
    "UpdateItem": lambda call: iter([(call["TableName"], call["Key"])]),
    "DeleteItem": lambda call: iter([(call["TableName"], call["Key"])]),
    "BatchWriteItem": lambda call: _batch(call),
    "TransactWriteItems": lambda call: _transaction(call),
}
#: What the API has besides, and may be asked for by people.
_READS = ("GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems", "DescribeTable", "ListTables")

_BY_KEY = re.compile(r"(#?\w+) = (:\w+)(?: AND begins_with\((#?\w+), (:\w+)\))?")
_PLAIN_QUERY = {
    "TableName",
    "IndexName",
    "KeyConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ScanIndexForward",
    "ConsistentRead",
}


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of a row, as a stream tells it; ``new`` is None when the row was deleted."""

    table: str
    keys: Item
    old: Item | None
    new: Item | None
    by_expiry: bool = False


class _Handler(DynamoHandler):
    """moto's DynamoDB, on tables that belong to one simulation."""

    def __init__(self, backend: DynamoDBBackend) -> None:
        super().__init__()
        self._own = backend

    @property
    def dynamodb_backend(self) -> DynamoDBBackend:
        return self._own


class Tables:
    """All tables.

    ``changed`` is told of every change, after it was made; ``unchanged`` of a write that made none,
    by table and row.
    """

    def __init__(self, place: Place) -> None:
        self.changed: Callable[[Change], None] = lambda _: None
        self.unchanged: Callable[[str, Item], None] = lambda *_: None
        self._backend = DynamoDBBackend(place.region, place.account)
        self._handler = _Handler(self._backend)
        self._expiry: dict[str, str] = {}

    def create(self, attributes: Mapping[str, Any]) -> None:
        """Make the table of an ``aws_dynamodb_table``."""
        indexes = [
            {
                "IndexName": index["name"],
                "KeySchema": _schema(index),
                "Projection": {"ProjectionType": index["projection_type"]},
            }
            for index in attributes.get("global_secondary_index", ())
        ]
        call = {
            "TableName": attributes["name"],
            "KeySchema": _schema(attributes),
            "AttributeDefinitions": [
                {"AttributeName": each["name"], "AttributeType": each["type"]} for each in attributes["attribute"]
            ],
            "BillingMode": attributes["billing_mode"],
        }
        self._call("CreateTable", call | ({"GlobalSecondaryIndexes": indexes} if indexes else {}))
        expiry = attributes.get("ttl", {})
        if expiry.get("enabled"):
            self._expiry[attributes["name"]] = expiry["attribute_name"]

    def answer(self, operation: str, call: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a call.

        Raises:
            ServiceError: DynamoDB would refuse it.
        """
        if operation in _WRITES:
            return self._written(operation, call)
        if operation == "Query" and (answer := self._by_key(call)) is not None:
            return answer
        if operation in _READS:
            return self._call(operation, call)
        raise ServiceError("UnknownOperationException", f"{operation} of DynamoDB cannot be done here")

    def rows(self, table: str) -> list[Item]:
        """All rows of a table, as DynamoDB's JSON, in the order of their keys."""
        found = [_json(item) for item in _items(self._backend.get_table(table))]
        return sorted(found, key=lambda row: json.dumps([row["PK"], row["SK"]]))

    def expire(self, now: datetime) -> None:
        """Delete every row whose time has come."""
        for table, attribute in self._expiry.items():
            for row in self.rows(table):
                if float(row.get(attribute, {}).get("N", "inf")) <= now.timestamp():
                    keys = self._keys(table, row)
                    self._call("DeleteItem", {"TableName": table, "Key": keys})
                    self.changed(Change(table=table, keys=keys, old=row, new=None, by_expiry=True))

    def _written(self, operation: str, call: Mapping[str, Any]) -> Mapping[str, Any]:
        written = [(table, self._keys(table, row)) for table, row in _WRITES[operation](call)]
        before = [self._row(table, keys) for table, keys in written]
        answer = self._call(operation, call)
        for (table, keys), old in zip(written, before, strict=True):
            new = self._row(table, keys)
            if old != new:
                self.changed(Change(table=table, keys=keys, old=old, new=new))
            elif new is not None:
                self.unchanged(table, new)
        return answer

    def _call(self, operation: str, call: Mapping[str, Any]) -> Mapping[str, Any]:
        self._handler.body = self._handler.params = dict(call)
        try:
            result = getattr(self._handler, camelcase_to_underscores(operation))().result
        except (ServiceException, HTTPException) as error:
            raise _refusal(error) from None
        return result if isinstance(result, dict) else {}

    def _keys(self, table: str, row: Item) -> Item:
        found = self._backend.tables.get(table)
        if found is None:
            raise ServiceError("ResourceNotFoundException", f"Requested resource not found: {table}")
        try:
            return {name: row[name] for name in (found.hash_key_attr, found.range_key_attr) if name}
        except KeyError as error:
            raise ServiceError("ValidationException", f"The row lacks the key {error.args[0]}") from None

    def _row(self, table: str, keys: Item) -> Item | None:
        found = self._backend.get_item(table, keys)
        return None if found is None else _json(found)

    def _by_key(self, call: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The answer to a query that has nothing but equality of one key and maybe the beginning of the other."""
        match = _BY_KEY.fullmatch(call.get("KeyConditionExpression", ""))
        table = self._backend.tables.get(call["TableName"])
        if match is None or call.keys() - _PLAIN_QUERY or table is None:
            return None
        names, values = call.get("ExpressionAttributeNames", {}), call["ExpressionAttributeValues"]
        index = next((each for each in table.global_indexes if each.name == call.get("IndexName")), None)
        if "IndexName" in call and (index is None or call.get("ConsistentRead")):
            return None
        keys = index.schema_key_attrs if index else [table.hash_key_attr, table.range_key_attr]
        hash_name, range_name = (names.get(each, each) for each in (match[1], match[3] or keys[-1]))
        if [hash_name, range_name] != list(keys):
            return None
        wanted, beginning = values[match[2]], values[match[4]]["S"] if match[4] else ""
        rows = [
            row
            for item in (_items(table) if index else table.items.get(DynamoType(wanted), {}).values())
            if (own := item.attrs.get(hash_name)) is not None
            and {own.type: own.value} == wanted
            and (other := item.attrs.get(range_name)) is not None
            and str(other.value).startswith(beginning)
            for row in [_json(item)]
        ]
        order = [name for name in (range_name, table.hash_key_attr, table.range_key_attr) if name]
        rows.sort(key=lambda row: [_sortable(row[name]) for name in order])
        if call.get("ScanIndexForward") is False:
            rows.reverse()
        return {"Items": rows, "Count": len(rows), "ScannedCount": len(rows)}


def _items(table: Any) -> Iterator[Any]:
    """All rows, in no order: moto's own way sorts them, slowly."""
    return (item for partition in table.items.values() for item in partition.values())


def _json(item: Any) -> Item:
    found: Item = dynamo_to_dict(item.attrs)
    return found


def _sortable(value: Mapping[str, Any]) -> Any:
    return float(value["N"]) if "N" in value else value.get("S", "")


def _schema(attributes: Mapping[str, Any]) -> list[dict[str, str]]:
    kinds = (("hash_key", "HASH"), ("range_key", "RANGE"))
    return [{"AttributeName": attributes[key], "KeyType": kind} for key, kind in kinds if attributes.get(key)]


def _refusal(error: Exception) -> ServiceError:
    """The error as DynamoDB tells it; moto holds most of them as the JSON of an answer."""
    told = json.loads(getattr(error, "description", None) or "{}")
    code = str(told.get("__type") or getattr(error, "code", "InternalServerError")).rpartition("#")[2]
    extra = {key: value for key, value in told.items() if key in ("Item", "CancellationReasons")}
    return ServiceError(code, str(told.get("message") or told.get("Message") or error), extra=extra)


def _batch(call: Mapping[str, Any]) -> Iterator[tuple[str, Item]]:
    for table, requests in call["RequestItems"].items():
        for request in requests:
            yield table, request["PutRequest"]["Item"] if "PutRequest" in request else request["DeleteRequest"]["Key"]


def _transaction(call: Mapping[str, Any]) -> Iterator[tuple[str, Item]]:
    for entry in call["TransactItems"]:
        for kind, request in entry.items():
            if kind != "ConditionCheck":
                yield request["TableName"], request["Item"] if kind == "Put" else request["Key"]
