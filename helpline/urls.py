"""The street map."""

from allauth.account import views as account
from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from helpline import mail, views
from helpline.people.access import open_to_anyone

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    path("health/", views.health, name="health"),
    path("livez", views.livez, name="livez"),
    path("language/", views.language, name="language"),
    path("account/keys/", views.keys, name="account-keys"),
    path("account/here/", views.here, name="account-here"),
    path("login/", open_to_anyone(account.login), name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("signup/", open_to_anyone(account.signup), name="account_signup"),
    path("overview/", include("helpline.caseload_urls")),
    path("mail/", mail.mail, name="mail"),
    path("mail/<uuid:pk>/send/", mail.mail_send, name="mail-send"),
    path("keeper/", include("helpline.keeper_urls")),
    path("portal/", include("referrals.portal_urls")),
    path("", include("intake.urls")),
    path("", include("referrals.urls")),
]
if settings.DEMO:
    urlpatterns.append(path("demo/mail/", views.demo_mail, name="demo-mail"))

handler400 = "helpline.views.bad_request"
handler403 = "helpline.views.forbidden"
handler404 = "helpline.views.not_found"
handler500 = "helpline.views.server_error"
