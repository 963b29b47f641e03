"""Routes of the ground floor that are no noun's: signing in over the API, documents, health."""

from django.urls import path

from branch.api.attachments import AttachmentContentView, AttachmentsView
from branch.api.health import healthz, metrics, readyz
from branch.api.me import BusinessDayView, MeView
from branch.api.parameters import InForceView
from branch.api.tokens import LogoutAllView, LogoutView, TokenView
from branch.pages import attachments, notifications, sessions

urlpatterns = [
    path("healthz/", healthz, name="healthz"),
    path("readyz/", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("api/v1/auth/token/", TokenView.as_view(), name="auth-token"),
    path("api/v1/auth/logout/", LogoutView.as_view(), name="auth-logout"),
    path("api/v1/auth/logout-all/", LogoutAllView.as_view(), name="auth-logout-all"),
    path("api/v1/me/", MeView.as_view(), name="api-me"),
    path("api/v1/business-days/current/", BusinessDayView.as_view(), name="api-business-day"),
    path("api/v1/attachments/", AttachmentsView.as_view(), name="api-attachments"),
    path("api/v1/attachments/<int:pk>/content/", AttachmentContentView.as_view(), name="api-attachment-content"),
    path("api/v1/parameters/in-force/", InForceView.as_view(), name="api-parameters-in-force"),
    path("attachments/", attachments.upload, name="attachment-upload"),
    path("attachments/<int:pk>/", attachments.download, name="attachment-download"),
    path("notifications/<int:pk>/open/", notifications.open_notification, name="notification-open"),
    path("accounts/sign-out-everywhere/", sessions.sign_out, name="sign-out-everywhere"),
]
