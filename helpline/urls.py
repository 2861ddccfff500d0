"""The street map."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from helpline import mail, statistics_views, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    path("health/", views.health, name="health"),
    path("livez", views.livez, name="livez"),
    path("language/", views.language, name="language"),
    path("account/keys/", views.keys, name="account-keys"),
    path("account/here/", views.here, name="account-here"),
    path("", include("helpline.people.account_urls")),
    path("overview/", include("helpline.caseload_urls")),
    path("statistics/", statistics_views.statistics, name="statistics"),
    path("statistics/<str:code>/<str:form>/", statistics_views.statistics_file, name="statistics-file"),
    path("mail/", mail.mail, name="mail"),
    path("mail/<uuid:pk>/send/", mail.mail_send, name="mail-send"),
    path("disposals/", include("helpline.disposal_urls")),
    path("log/", include("helpline.log_urls")),
    path("keeper/", include("helpline.keeper_urls")),
    path("portal/", include("referrals.portal_urls")),
    path("", include("helpline.extract.urls")),
    path("", include("intake.urls")),
    path("", include("referrals.urls")),
]
if settings.DEMO:
    urlpatterns.append(path("demo/mail/", views.demo_mail, name="demo-mail"))

handler400 = "helpline.views.bad_request"
handler403 = "helpline.views.forbidden"
handler404 = "helpline.views.not_found"
handler500 = "helpline.views.server_error"
