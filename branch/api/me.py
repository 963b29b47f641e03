"""What a client asks first: who am I here, and what day is it at the bank."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from branch.api.attachments import actor_in
from branch.models import BusinessDay
from branch.queries.business_date import current_day


class HeldRoleSerializer(serializers.Serializer):
    role = serializers.CharField()
    office = serializers.IntegerField(source="office_id")


class MeSerializer(serializers.Serializer):
    id = serializers.IntegerField(source="user_id")
    username = serializers.CharField()
    office = serializers.IntegerField(source="office_id", allow_null=True)
    roles = HeldRoleSerializer(source="grants", many=True)


class BusinessDaySerializer(serializers.ModelSerializer):
    class Meta:
        model = BusinessDay
        fields = ("date", "state")


class MeView(APIView):
    """The signed-in person and the roles held today."""

    @extend_schema(tags=["me"], operation_id="me", responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """Id, user name, office and roles in force on the business date."""
        return Response(MeSerializer(actor_in(request)).data)


class BusinessDayView(APIView):
    """The bank's own date."""

    @extend_schema(tags=["business-days"], operation_id="business_days_current", responses=BusinessDaySerializer)
    def get(self, request: Request) -> Response:
        """The business date and whether it is open or being closed."""
        return Response(BusinessDaySerializer(current_day()).data)
