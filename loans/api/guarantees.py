"""Guarantee circles and long chains over the API."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from branch.api.attachments import actor_in
from loans.queries.guarantees import chosen_rings


class GuarantorSerializer(serializers.Serializer):
    name = serializers.CharField(help_text="Masked where it is a customer who is not yours.")
    customer_id = serializers.IntegerField(allow_null=True, help_text="Of a customer who is yours.")
    guarantees = serializers.BooleanField(help_text="For the next one; of a chain the last one does not.")
    amount = serializers.DecimalField(
        max_digits=16, decimal_places=2, allow_null=True, help_text="Agreed, in yuan; null for all that is owed."
    )
    exposure = serializers.DecimalField(
        max_digits=18, decimal_places=2, allow_null=True, help_text="Owed, undrawn and offered, of a customer of yours."
    )


class RingSerializer(serializers.Serializer):
    is_circle = serializers.BooleanField(help_text="Of a circle the last one guarantees for the first.")
    guaranteed = serializers.DecimalField(max_digits=20, decimal_places=2)
    members = GuarantorSerializer(many=True)


class GuaranteeCirclesView(APIView):
    """Every guarantee circle and long chain in which a customer of yours stands, at most 500."""

    @extend_schema(
        tags=["relations"],
        operation_id="guarantee_circles_list",
        parameters=[
            OpenApiParameter("kind", str, enum=["circle", "chain"]),
            OpenApiParameter("q", str, description="A piece of a member's name."),
        ],
        responses=RingSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        asked = request.query_params
        rings = chosen_rings(actor_in(request), kind=asked.get("kind", ""), text=asked.get("q", ""))
        return Response(RingSerializer(rings, many=True).data)
