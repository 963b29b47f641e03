"""What a booking moved, or would move, as pages and the API show it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from loans.domain.movements import side_by_side
from loans.models import LoanRequest, LoanTransaction, Repayment


class PictureRowSerializer(serializers.Serializer):
    number = serializers.IntegerField()
    due_date = serializers.DateField()
    principal = serializers.DecimalField(16, 2)
    interest = serializers.DecimalField(16, 2)
    fee = serializers.DecimalField(16, 2)
    total = serializers.DecimalField(16, 2)
    paid = serializers.DecimalField(16, 2)
    balance = serializers.DecimalField(16, 2)


class FiguresSerializer(serializers.Serializer):
    state = serializers.CharField()
    outstanding_principal = serializers.DecimalField(16, 2)
    penalty_due = serializers.DecimalField(16, 2)
    held = serializers.DecimalField(16, 2)
    annual_rate = serializers.DecimalField(8, 6)
    maturity_date = serializers.DateField()
    days_past_due = serializers.IntegerField()
    asset_class = serializers.CharField()


class PictureSerializer(serializers.Serializer):
    rows = PictureRowSerializer(many=True)
    figures = FiguresSerializer()


class MovementSerializer(serializers.Serializer):
    """The loan before and after."""

    before = PictureSerializer()
    after = PictureSerializer()


def movement_of(result: Repayment | LoanTransaction | LoanRequest) -> dict[str, Any]:
    """What a service that booked something, or asked for it, moved or would move."""
    if isinstance(result, LoanRequest) and result.transaction is None:
        return result.expected
    row = result if isinstance(result, LoanTransaction) else result.transaction
    return {"before": row.movement.before, "after": row.movement.after} if row is not None else {}


def compared(movement: dict[str, Any]) -> dict[str, Any] | None:
    """The same in pairs, for a page; None where nothing is known of it."""
    return side_by_side(movement["before"], movement["after"]) if movement else None
