"""The settings of production, and what the bench adds: its floor beside the application, and a count of statements."""

from helpline import settings as plain

globals().update({name: getattr(plain, name) for name in dir(plain) if name.isupper()})
ROOT_URLCONF = "helpline.bench.urls"
COUNTING = "helpline.bench.counting.CountingMiddleware"
MIDDLEWARE = [COUNTING, *plain.MIDDLEWARE]
# The least with session and log-in: what the floor is served through.
FLOOR_MIDDLEWARE = [
    COUNTING,
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
