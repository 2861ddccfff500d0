"""Settings, all of them, from the environment. docs/settings.md lists the names; demo mode has harmless defaults."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent


def env_bool(name: str, default: bool = False) -> bool:
    """A switch of the environment: 1, true, yes and on are on, in any case."""
    return os.environ.get(name, str(default)).strip().lower() in {"1", "true", "yes", "on"}


def env_list(name: str, default: str = "") -> list[str]:
    """A comma separated list of the environment, without empty parts."""
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def sign_on_app(issuer: str, client_id: str, secret: str) -> dict[str, object]:
    """What allauth is told of the municipality's log-in; nothing where none is set."""
    one = {"name": "sign_on", "client_id": client_id, "secret": secret, "settings": {"server_url": issuer}}
    return {"sign_on": {"APPS": [one]}} if issuer and client_id else {}


def origin(url: str) -> list[str]:
    """Scheme, host and port of an address, for the content policy; nothing where there is none."""
    parts = urlsplit(url)
    return [f"{parts.scheme}://{parts.netloc}"] if parts.netloc else []


DEMO = env_bool("DEMO")
DEBUG = env_bool("DEBUG")
SECRET_KEY = os.environ.get("SECRET_KEY") or "unset-refused-in-production-by-helpline.checks"
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS")
# "id:base64 of 32 bytes", comma separated, the current one first: the master keys that wrap the key of each call and case.
HELPLINE_KEYS = env_list("HELPLINE_KEYS")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "localhost,127.0.0.1")
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS")
VAR_DIR = Path(os.environ.get("HELPLINE_VAR", BASE_DIR / "var"))
# Where `manage.py backup` writes the data and, apart from them, the keys; and the folder of PostgreSQL's programs.
BACKUP_DIR = os.environ.get("BACKUP_DIR", "")
BACKUP_KEYS_DIR = os.environ.get("BACKUP_KEYS_DIR", "")
PG_BIN = os.environ.get("PG_BIN", "")

LINE_NAME = os.environ.get("LINE_NAME", "Stödlinjen")
LINE_PHONE = os.environ.get("LINE_PHONE", "0500-49 77 82")
LINE_BOARD = os.environ.get("LINE_BOARD", "Socialnämnden, Skövde kommun")
# Our own function address for secure messages (SDK), on what is sent that way; empty: none.
LINE_FUNCTION_ADDRESS = os.environ.get("LINE_FUNCTION_ADDRESS", "")
# Who sends the page that a caller takes home: neutral, or empty for nobody.
PRINT_SENDER = os.environ.get("PRINT_SENDER", "Socialtjänsten")
SITE_URL = os.environ.get("SITE_URL", f"http://localhost:{os.environ.get('PORT', '8000')}")

INSTALLED_APPS = [
    "helpline",
    "helpline.people",
    "intake",
    "referrals",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "helpline.people.user_sessions.UserSessions",  # allauth.usersessions
    "allauth.socialaccount",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "django_htmx",
    "pgtrigger",
]

MIDDLEWARE = [
    "helpline.people.outside.OutsideMiddleware",
    "csp.middleware.CSPMiddleware",  # before what may answer by itself: a redirect and a static file have it too
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "helpline.people.middleware.SourceMiddleware",
    "helpline.people.refusals.RefusalsMiddleware",
    "helpline.people.sessions.SessionEndsMiddleware",
    "helpline.people.middleware.PersonalLanguageMiddleware",
    "helpline.people.outside.NoFilesMiddleware",
    "helpline.people.second_factor.SecondFactorMiddleware",
    "helpline.people.middleware.DenyByDefaultMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "intake.middleware.AskReasonMiddleware",
    "intake.middleware.KeptWordsMiddleware",
]

ROOT_URLCONF = "helpline.urls"
WSGI_APPLICATION = "helpline.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "helpline.context.frame",
            ],
            "builtins": ["helpline.people.templatetags.people"],
        },
    },
]

# -- the store ---------------------------------------------------------------------------------------------------------
# Two roles: the application's runs and owns nothing; the owner migrates (the migrate command chooses it by itself).
DB_OPTIONS = (
    "-c statement_timeout=15000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=30000 -c timezone=UTC"
)


def database(url: str) -> dict[str, object]:
    """Django's settings for one role of the database."""
    settings = dj_database_url.parse(url, conn_max_age=600, conn_health_checks=True)
    settings["OPTIONS"] = {**settings.get("OPTIONS", {}), "options": DB_OPTIONS, "connect_timeout": 5}
    return dict(settings)


DATABASE_URL = os.environ.get("DATABASE_URL", "postgres://helpline_app@127.0.0.1:5432/helpline")
DATABASES = {
    "default": database(DATABASE_URL),
    "owner": database(os.environ.get("OWNER_DATABASE_URL", DATABASE_URL)),
}
APP_ROLE = DATABASES["default"]["USER"]
# As whom the partner portal reads (people/wall.py): no login, granted to the application's role without inheritance.
PORTAL_ROLE = os.environ.get("PORTAL_ROLE") or "helpline_portal"
# That the log of the database's server is kept as carefully as the cases: then it may hold what a production start refuses.
DATABASE_LOG_TRUSTED = env_bool("DATABASE_LOG_TRUSTED")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# The cache counts failed logins only, so it must be shared by all processes and survive a restart: the database.
# Room for very many: where it is full the oldest counts are thrown out, and who guesses could make it full.
CACHES = {
    "default": {
        "BACKEND": "helpline.people.cache.JsonCache",
        "LOCATION": "cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# -- who --------------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "people.User"
# Not allauth's own besides: it lets in who is switched off, to a page that we do not have.
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in [
        ("UserAttributeSimilarityValidator", {}),
        ("MinimumLengthValidator", {"min_length": 15}),
        ("CommonPasswordValidator", {}),
    ]
] + [{"NAME": "helpline.people.own_words.OwnWordsValidator"}]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "helpline.people.accounts.ClosedAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = False
# Failures are counted for account and address together (people/accounts.py), so that a stranger keeps no colleague out.
ACCOUNT_RATE_LIMITS = {
    "login_failed": "10/5m/key,200/5m/ip",
    "login": "120/m/ip",
    "factor_from_strangers": "50/h/key",  # codes for one account, from all addresses that are new to it together
}
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600  # seconds for which nobody is asked again on the page of how one logs in
ACCOUNT_LOGIN_TIMEOUT = 900  # seconds between the password and the second factor
# The second factor: an app (TOTP), passkeys, recovery codes. Required of everybody; in demo mode set up by who wants.
REQUIRE_SECOND_FACTOR = env_bool("REQUIRE_SECOND_FACTOR", not DEMO)
MFA_ADAPTER = "helpline.people.second_factor.Factors"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1  # half a minute before and after: telephones' clocks differ
MFA_ALLOW_UNVERIFIED_EMAIL = True  # an address is the keeper's word here, and opens nothing
MFA_FORMS = {
    name: f"helpline.people.factor_forms.{form}"
    for name, form in {
        "authenticate": "CodeForm",
        "reauthenticate": "CodeAgainForm",
        "activate_totp": "AppForm",
        "authenticate_webauthn": "KeyForm",
        "reauthenticate_webauthn": "KeyAgainForm",
        "login_webauthn": "KeyLoginForm",
        "add_webauthn": "NewKeyForm",
    }.items()
}
# The host that passkeys belong to: with another one every passkey is lost.
PASSKEY_HOST = os.environ.get("PASSKEY_HOST") or urlsplit(SITE_URL).hostname or "localhost"
INVITATION_DAYS = int(os.environ.get("INVITATION_DAYS", "7"))
# A municipality's own log-in by OpenID Connect; empty: none. docs/sign-on.md says how it is set up.
OIDC_NAME = os.environ.get("OIDC_NAME", "") or _("my municipality")
OIDC_ISSUER = os.environ.get("OIDC_ISSUER", "").strip()
OIDC_CLIENT_ID = os.environ.get("OIDC_CLIENT_ID", "")
OIDC_CLIENT_SECRET = os.environ.get("OIDC_CLIENT_SECRET", "")
SOCIALACCOUNT_ADAPTER = "helpline.people.sign_on.SignOn"
SOCIALACCOUNT_PROVIDERS = sign_on_app(OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET)
MESSAGE_STORAGE = (
    "django.contrib.messages.storage.session.SessionStorage"  # a cookie could be read by who has the machine
)

SESSION_ENGINE = "helpline.people.session_store"
SESSION_COOKIE_NAME = "sid" if DEMO or DEBUG else "__Host-sid"
LANGUAGE_COOKIE_NAME = "lang" if DEMO or DEBUG else "__Host-lang"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not (DEMO or DEBUG)
SESSION_COOKIE_AGE = 10 * 60 * 60  # seconds: at most a working day, from the log-in (people/sessions.py)
IDLE_MINUTES = int(os.environ.get("IDLE_MINUTES", "30"))
FRESH_SECONDS = int(os.environ.get("FRESH_SECONDS", "15"))  # how often a page asks whether something has changed
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_USE_SESSIONS = True
CSRF_FAILURE_VIEW = "helpline.views.csrf_failure"
SECURE_HSTS_SECONDS = 0 if DEMO or DEBUG else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = False  # the browsers' own list is the municipality's decision, and hard to leave
SILENCED_SYSTEM_CHECKS = ["security.W021"]
SECURE_SSL_REDIRECT = env_bool("SECURE_SSL_REDIRECT", not (DEMO or DEBUG))
PROBES = ["/livez", "/health/"]  # asked by machines: no log-in, no language, no redirect
SECURE_REDIRECT_EXEMPT = [f"^{path.lstrip('/')}$" for path in PROBES]
if env_bool("BEHIND_PROXY"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = 1
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
FILE_UPLOAD_HANDLERS = ["helpline.people.outside.RefuseFiles"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 5_000_000  # bytes; a text that is far too long is still refused at its field
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1_000  # a call without script: each question, its remark, and what both were based on
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF, *origin(OIDC_ISSUER)],  # a form may lead on to the municipality's log-in
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
        "manifest-src": [SELF],
    }
}

# -- words and time -----------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "sv"
LANGUAGES = [("sv", _("Swedish")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Europe/Stockholm"

# -- files ---------------------------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_ALLOW_ALL_ORIGINS = False  # nobody else's page reads even these
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"

# -- mail: it says that something waits, never whom or what -----------------------------------------------------------------
EMAIL_BACKEND = (
    "django.core.mail.backends.filebased.EmailBackend" if DEMO else "django.core.mail.backends.smtp.EmailBackend"
)
EMAIL_FILE_PATH = VAR_DIR / "mail"
EMAIL_HOST = os.environ.get("EMAIL_HOST", "localhost")
EMAIL_PORT = int(os.environ.get("EMAIL_PORT", "25"))
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS")
EMAIL_TIMEOUT = 10  # seconds
DEFAULT_FROM_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL", "noreply@localhost")

# -- Celery: early acknowledgement, no ETA, no results; a web request never waits for the broker ------------------------------
REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
BROKER_TIMEOUT = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}  # seconds: where somebody waits for a page
WORKER_BROKER_TIMEOUT = {"socket_timeout": 2.0, "socket_connect_timeout": 2.0}  # of worker and beat (celery.py)
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 0, "interval_start": 0, "interval_step": 0}
CELERY_BROKER_TRANSPORT_OPTIONS = {**BROKER_TIMEOUT, "max_retries": 0}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULER = "helpline.celery.Scheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
TICK = float(os.environ.get("HELPLINE_TICK", "30"))  # seconds between two looks for due rows
CELERY_BEAT_SCHEDULE = {
    name: {"task": task, "schedule": TICK, "options": {"expires": max(TICK - 5, 1)}}
    for name, task in {
        "remind": "intake.tasks.remind",
        "find_untouched": "intake.tasks.find_untouched",
        "forget": "intake.tasks.forget",
        "review_openings": "intake.tasks.review_openings",
        "expire": "referrals.tasks.expire",
        "deliver": "helpline.people.tasks.deliver",
    }.items()
}
# With how often a page asks (at most 15 s) less than half a minute, in which a tile shows what is true.
SUM_TICK = min(TICK, 10.0)
CELERY_BEAT_SCHEDULE["sum_days"] = {
    "task": "helpline.tasks.sum_days",
    "schedule": SUM_TICK,
    "options": {"expires": SUM_TICK},
}

DAILY = {"expires": 60 * 60}  # seconds: a worker that was away does not do it at noon as well
# Once a day, at night; what was missed is made up for the next time.
CELERY_BEAT_SCHEDULE["erase"] = {"task": "intake.tasks.erase", "schedule": crontab(hour=3, minute=10), "options": DAILY}
# Once a day, in the morning: which agencies has nobody checked for a year?
CELERY_BEAT_SCHEDULE["verify"] = {
    "task": "referrals.tasks.verify",
    "schedule": crontab(hour=8, minute=5),
    "options": DAILY,
}
# The day's head of the log, published outside: a mailbox and a file (of another machine) that this system cannot take back;
# empty: off. The review of last month's log is drawn on its first working day.
LOG_HEAD_TO = env_list("LOG_HEAD_TO")
LOG_HEAD_FILE = os.environ.get("LOG_HEAD_FILE", "")
CELERY_BEAT_SCHEDULE["head"] = {
    "task": "helpline.people.tasks.publish_head",
    "schedule": crontab(hour=0, minute=20),
    "options": DAILY,
}
CELERY_BEAT_SCHEDULE["review"] = {
    "task": "helpline.tasks.review_logs",
    "schedule": crontab(hour=7, minute=45),
    "options": DAILY,
}
# What is approved to be deleted by law, one case at a time; and on the first of each month who is reminded of what is due.
CELERY_BEAT_SCHEDULE["dispose"] = {
    "task": "helpline.tasks.dispose",
    "schedule": TICK,
    "options": {"expires": max(TICK - 5, 1)},
}
CELERY_BEAT_SCHEDULE["remind_of_disposals"] = {
    "task": "helpline.tasks.remind_of_disposals",
    "schedule": crontab(day_of_month=1, hour=8, minute=15),
    "options": DAILY,
}
# Once a day, at night: the quarters and years that have settled are told from then on.
CELERY_BEAT_SCHEDULE["freeze_statistics"] = {
    "task": "helpline.tasks.freeze_statistics",
    "schedule": crontab(hour=4, minute=25),
    "options": DAILY,
}
# How many months the words of advice (track A) are kept where the board has decided nothing (the keeper's page says what it has).
ADVICE_WORDS_MONTHS = int(os.environ.get("ADVICE_WORDS_MONTHS", "6"))

# How much an open case weighs by its urgency, and at which weight a worker has no room.
CASELOAD_WEIGHTS = {
    urgency: int(weight)
    for urgency, _, weight in (
        part.partition(":") for part in env_list("CASELOAD_WEIGHTS", "AKUT:5,BRADSKANDE:3,SKYNDSAM:2,NORMAL:1")
    )
}
CASELOAD_FULL = int(os.environ.get("CASELOAD_FULL", "20"))

# What an upper floor shows on a page of a lower one: slot -> functions (request, object) -> (template, context).
PANELS = "helpline.panels.PANELS"

# -- logs: no personal data, not even in a traceback ---------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"calm": {"()": "helpline.people.logs.QuietFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "calm"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        name: {"handlers": ["console"], "level": "WARNING", "propagate": False}
        for name in ("django", "multiprocessing")
    },
}
