"""What is in force today, over the API."""

from __future__ import annotations

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from branch.api.attachments import actor_in
from branch.domain.refusals import PermissionRefused
from branch.queries.parameters_in_force import parameters_in_force
from branch.queries.visibility_branch import STAFF_READERS


class InForceSerializer(serializers.Serializer):
    code = serializers.CharField()
    meaning = serializers.CharField()
    kind = serializers.CharField()
    value = serializers.CharField()
    default = serializers.CharField()
    grade = serializers.CharField(help_text="Where the default comes from: S official, W secondary, K trade knowledge.")
    since = serializers.DateField(allow_null=True)
    set_by = serializers.CharField(allow_blank=True)


class InForceView(APIView):
    """Every parameter with the value in force."""

    @extend_schema(tags=["parameters"], operation_id="parameters_in_force", responses=InForceSerializer(many=True))
    def get(self, request: Request) -> Response:
        if not actor_in(request).roles & STAFF_READERS:
            raise PermissionRefused(_("This is not open to your role."))
        return Response(InForceSerializer(parameters_in_force(), many=True).data)
