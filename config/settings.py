"""Settings, all from the environment. docs/operations.md has the table of names, defaults and meanings."""

from datetime import timedelta
from typing import Any

from celery.schedules import crontab
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from config.environment import BASE_DIR, env, load, required

MODE = load()
PRODUCTION = MODE == "production"
DEMO = MODE == "demo"
DEBUG = False

# --- secrets -----------------------------------------------------------------------------------------
SECRET_KEY = required("SECRET_KEY")
FIELD_KEYS = [key for key in required("FIELD_KEYS").split(",") if key]  # newest first
LOOKUP_KEY = required("LOOKUP_KEY")
if PRODUCTION and len(SECRET_KEY) < 40:
    raise ImproperlyConfigured("SECRET_KEY is shorter than 40 characters.")

# --- where it is served --------------------------------------------------------------------------------
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if PRODUCTION else ["*"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
HTTPS = env.bool("HTTPS", default=PRODUCTION)
if PRODUCTION and not ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS is not set. It names the hosts this server answers for.")
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
SECURE_REDIRECT_EXEMPT = [r"^healthz/$", r"^readyz/$"]
X_FRAME_OPTIONS = "DENY"
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

# --- database, broker, cache ---------------------------------------------------------------------------
_role_url = "DATABASE_OWNER_URL" if MODE == "test" or env.str("XIAOWEI_DB_ROLE", "app") == "owner" else "DATABASE_URL"
required(_role_url)
DATABASES = {"default": env.db_url(_role_url) | {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}}
DATABASES["default"]["ENGINE"] = "django_prometheus.db.backends.postgresql"
DATABASES["default"]["TEST"] = {"NAME": f"test_xiaowei{env.str('TEST_DB_SUFFIX', '')}"}
#: The role everything but migrations runs as; migrations grant it what it may do and no more.
DATABASE_APP_ROLE = env.db_url("DATABASE_URL")["USER"] if env.str("DATABASE_URL", "") else "xiaowei_app"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = required("REDIS_URL")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600}
# 0 comes first: neither the night nor money waits for the hundreds of messages that tell people of it.
CELERY_TASK_ROUTES = {"branch.tasks.deliver_outbox": {"priority": 6}}
CELERY_TASK_DEFAULT_QUEUE = env.str("CELERY_QUEUE", "xiaowei")
CELERY_TIMEZONE = "Asia/Shanghai"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = {
    "worker-heartbeat": {"task": "branch.tasks.heartbeat", "schedule": 10.0},
    "deliver-outbox": {"task": "branch.tasks.deliver_outbox", "schedule": 5.0},
    "remove-orphan-files": {"task": "branch.tasks.remove_orphan_files", "schedule": crontab(minute=17)},
    "debit-file-of-the-day": {"task": "loans.tasks.make_debit_file", "schedule": crontab(minute="*/10")},
    "debit-files": {"task": "loans.tasks.debit_round", "schedule": 30.0},
    "send-payouts": {"task": "loans.tasks.resume_payouts", "schedule": 10.0},
    "resume-prescreens": {"task": "customers.tasks.resume_prescreens", "schedule": 10.0},
    "pull-round": {"task": "customers.tasks.pull_round", "schedule": 10.0},
    "resume-imports": {"task": "customers.tasks.resume_imports", "schedule": 10.0},
    "resume-screening": {"task": "customers.tasks.screen_book", "schedule": 60.0},
    "nightly-screening": {
        "task": "customers.tasks.screen_book",
        "schedule": crontab(hour=21, minute=30),
        "kwargs": {"only_if_due": False},
    },
    "nightly-retention": {
        "task": "customers.tasks.erase_what_is_over",
        "schedule": crontab(hour=21, minute=50),
    },
    "resume-retention": {"task": "customers.tasks.resume_retention", "schedule": 60.0},
    "resume-sweeps": {"task": "postloan.tasks.resume_sweeps", "schedule": 10.0},
    "nightly-close": {"task": "postloan.tasks.nightly_close", "schedule": crontab(hour=22, minute=30)},
}

CORE_BANK_URL = env.str("CORE_BANK_URL", "")
CORE_BANK_TOKEN = env.str("CORE_BANK_TOKEN", "")
#: Scheme, host and port of every provider of outside records that may be asked: nothing else is.
PROVIDER_ORIGINS = env.list("PROVIDER_ORIGINS", default=[])
CORE_BANK_TIMEOUT_SECONDS = env.float("CORE_BANK_TIMEOUT_SECONDS", 5.0)

# --- applications ----------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "axes",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_tables2",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_htmx",
    "django_cotton",
    "django_celery_beat",
    "django_prometheus",
    "django_structlog",
    "csp",
    "branch",
    "customers",
    "loans",
    "approvals",
    "postloan",
    "desk",
]
MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "branch.middleware.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "branch.middleware.OneLookMiddleware",
    "branch.middleware.RequiredMfaMiddleware",
    "branch.middleware.RefusalMiddleware",
    "axes.middleware.AxesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "desk.context.shell",
            ],
        },
    }
]
COTTON_DIR = "components"
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"
DJANGO_TABLES2_TEMPLATE = "components/table.html"
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"

# --- people and sign-in ------------------------------------------------------------------------------------
AUTH_USER_MODEL = "branch.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
if MODE == "test":
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "desk:my-day"
ACCOUNT_ADAPTER = "branch.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_RATE_LIMITS = {} if MODE == "test" else {"login_failed": "20/m/ip", "login": "60/m/ip"}
MFA_ADAPTER = "branch.accounts.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Xiaowei"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION
USERSESSIONS_TRACK_ACTIVITY = True
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = env.int("SESSION_HOURS", 10) * 3600
SESSION_SAVE_EVERY_REQUEST = False
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
AXES_FAILURE_LIMIT = env.int("LOCKOUT_ATTEMPTS", 5)
AXES_COOLOFF_TIME = timedelta(minutes=env.int("LOCKOUT_MINUTES", 15))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_ENABLED = MODE != "test" or env.bool("AXES_ENABLED", default=False)
AXES_VERBOSE = False
AXES_LOCKOUT_CALLABLE = "branch.accounts.lockout_response"
SOCIALACCOUNT_ONLY = False
SOCIALACCOUNT_AUTO_SIGNUP = False
SOCIALACCOUNT_PROVIDERS = {}
if env.str("OIDC_SERVER_URL", ""):
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "bank",
                "name": env.str("OIDC_NAME", "OpenID Connect"),
                "client_id": required("OIDC_CLIENT_ID"),
                "secret": required("OIDC_CLIENT_SECRET"),
                "settings": {"server_url": env.str("OIDC_SERVER_URL")},
            }
        ],
    }

# --- API -----------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "knox.auth.TokenAuthentication",
        "branch.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["branch.api.permissions.SignedIn"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "rest_framework.parsers.JSONParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_SCHEMA_CLASS": "branch.web.openapi.Schema",
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.AnonRateThrottle",
        "rest_framework.throttling.UserRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {
        "anon": env.str("THROTTLE_ANON", "120/min"),
        "user": env.str("THROTTLE_USER", "3000/min"),
        "sign-in": env.str("THROTTLE_SIGN_IN", "60/min"),
        "referral": env.str("THROTTLE_REFERRAL", "30/min"),
        "referral-link": env.str("THROTTLE_REFERRAL_LINK", "60/min"),
    },
    # Whose address is counted: the connection's, or what the one proxy before us added; never what a caller claims.
    "NUM_PROXIES": 1 if env.bool("BEHIND_PROXY", default=False) else 0,
    "EXCEPTION_HANDLER": "branch.api.problems.problem_response",
    "COERCE_DECIMAL_TO_STRING": True,
}
REST_KNOX = {"TOKEN_TTL": timedelta(hours=env.int("TOKEN_HOURS", 10)), "TOKEN_LIMIT_PER_USER": 50}
SPECTACULAR_SETTINGS = {
    "TITLE": "Xiaowei",
    "DESCRIPTION": "Small-and-micro lending: everything a page can do.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "branch.web.openapi.describe_what_all_share",
    ],
    # Choices several fields share, or whose field's name means something else elsewhere.
    "ENUM_NAME_OVERRIDES": {
        "ImportLayoutEnum": "customers.models.record_import.RecordImport.Layout",
        "ImportOriginEnum": "customers.models.record_import.RecordImport.Origin",
        "CampaignKindEnum": "customers.models.campaign.Campaign.Kind",
        "LeadVisitOutcomeEnum": "customers.models.lead_visit.LeadVisit.Outcome",
        "LeadOriginEnum": "customers.models.lead.Lead.Origin",
        "LostReasonEnum": "customers.models.lead.Lead.LostReason",
        "OutsideFactsEnum": "customers.nouns.imports.OUTSIDE_FACTS",
        "FeedLayoutEnum": "customers.nouns.feeds.LAYOUTS",
        "PullCallStateEnum": "customers.models.feed.PullCall.State",
        "ConsentScopeEnum": "customers.models.consent.ConsentScope",
        "RelationKindEnum": "customers.models.party.Relation.Kind",
        "ClusterKindEnum": "customers.models.cluster.Cluster.Kind",
        "MemberRoleEnum": "customers.models.cluster.ClusterMember.Role",
        "WatchlistKindEnum": "customers.models.screening.Watchlist.Kind",
        "RepaymentChannelEnum": "loans.models.loan.Repayment.Channel",
        "ErasureChannelEnum": "customers.models.retention.ErasureRequest.Channel",
        "HitOutcomeEnum": "customers.models.screening.ScreeningHit.Outcome",
        "RoleEnum": "branch.models.staff.ROLE_CHOICES",
        "CustomerKindEnum": "customers.models.customer.Customer.Kind",
        "GuaranteeModeEnum": "loans.models.product.GuaranteeMode",
        "RatingEnum": "loans.models.application.Investigation.Rating",
        "RepaymentMethodEnum": "loans.models.product.RepaymentMethod",
        "MonthEndEnum": ["clamp", "roll"],
        "ProductMonthEndEnum": "loans.models.product.MonthEnd",
        "ProductSurplusEnum": "loans.models.product.Surplus",
        "ProductPayoffInterestEnum": "loans.models.product.PayoffInterest",
        "ProductFrequencyEnum": "loans.nouns.offer_form.FREQUENCIES",
        "RiskGradeEnum": "loans.nouns.offer_form.GRADE_CHOICES",
        "CollectionOutcomeEnum": "postloan.models.warning.CollectionCase.Outcome",
        "LoanTransactionKindEnum": "loans.models.loan.KindWord",
        "DebitFileStateEnum": "loans.models.debit_file.DebitFile.State",
        "DebitOutcomeEnum": "loans.models.debit_file.DebitRow.Outcome",
        "RunStateEnum": "postloan.models.sweep.SweepRun.State",
        "ReviewStageKindEnum": "approvals.models.review.ReviewStage.Kind",
        "WarningCaseOutcomeEnum": "postloan.models.warning.WarningCase.Outcome",
        "ReviewOutcomeEnum": "approvals.models.review.Outcome",
    },
}

# --- pages ------------------------------------------------------------------------------------------------------
#: django-filter's own words have no Chinese under the code Django asks for.
FILTERS_VERBOSE_LOOKUPS = {
    "exact": "",
    "date": "",
    "gte": "≥",
    "lte": "≤",
    "icontains": pgettext_lazy("filter", "contains"),
    "isnull": pgettext_lazy("filter", "is empty"),
}
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
LANGUAGE_CODE = "zh-hans"
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
USE_THOUSAND_SEPARATOR = False
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"] + [
    (f"vendor/{name}", path)
    for name, path in {
        "tabler": BASE_DIR / "node_modules/@tabler/core/dist",
        "tabler-icons": BASE_DIR / "node_modules/@tabler/icons/icons",
        "echarts": BASE_DIR / "node_modules/echarts/dist",
        "tom-select": BASE_DIR / "node_modules/tom-select/dist",
    }.items()
    if path.exists()
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
# Otherwise each test client would list some seven thousand static files before its first request.
WHITENOISE_AUTOREFRESH = MODE == "test"
FILES_DIR = env.str("FILES_DIR", str(BASE_DIR / "var" / "files"))
MEDIA_ROOT = FILES_DIR
FILE_UPLOAD_PERMISSIONS = 0o600
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF, "data:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- mail, logs, metrics --------------------------------------------------------------------------------------
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
globals().update(EMAIL_CONFIG)
if MODE == "test":
    EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", "xiaowei@localhost")
METRICS_ALLOWED = env.list("METRICS_ALLOWED", default=["127.0.0.1/32", "::1/128"])
PROMETHEUS_EXPORT_MIGRATIONS = False
DJANGO_STRUCTLOG_CELERY_ENABLED = True
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "branch.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django_structlog": {"level": "INFO"},
        "django.request": {"level": "ERROR"},
        "axes": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
    },
}
if MODE == "test":
    LOGGING["root"]["level"] = "WARNING"
    LOGGING["loggers"]["django_structlog"]["level"] = "WARNING"

#: Prices of mistakes: kill points for tests, never active outside them.
FAILPOINTS_ENABLED = MODE == "test"
