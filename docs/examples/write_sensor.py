"""What an upstream process does when it has finished: it writes a sensor."""

from datetime import UTC, datetime

import boto3


def orders_loaded(day: str, row_count: int) -> None:
    """Say that the orders of ``day`` (``YYYY-MM-DD``) are loaded."""
    control = boto3.resource("dynamodb").Table("dev-interlock-control")
    control.put_item(
        Item={
            "PK": "PIPELINE#gold-revenue",
            "SK": "SENSOR#orders-loaded",
            "data": {
                "date": day,
                "updatedAt": datetime.now(UTC).isoformat(),
                "status": "complete",
                "row_count": row_count,
            },
        }
    )


if __name__ == "__main__":
    orders_loaded("2026-11-24", 48210)
