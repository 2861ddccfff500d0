"""Logging in, and one's own page of how. The names are allauth's where it asks for them."""

from django.urls import path

from helpline.people import account_views, security

urlpatterns = [
    path("login/", account_views.login, name="account_login"),
    path("login/code/", account_views.code, name="mfa_authenticate"),
    path("login/passkey/", account_views.passkey, name="mfa_login_webauthn"),
    path("logout/", account_views.logout, name="account_logout"),
    path("signup/", account_views.signup, name="account_signup"),
    path("sign-on/", account_views.sign_on_login, name="sign_on_login"),
    path("sign-on/back/", account_views.sign_on_callback, name="sign_on_callback"),
    path("invitation/<str:token>/", account_views.invitation, name="invitation"),
    path("security/", security.index, name="mfa_index"),
    path("security/app/", security.new_app, name="mfa_activate_totp"),
    path("security/app/remove/", security.remove_app, name="mfa_deactivate_totp"),
    path("security/passkey/", security.new_key, name="mfa_add_webauthn"),
    path("security/passkey/<int:pk>/remove/", security.remove_key, name="mfa_remove_webauthn"),
    path("security/codes/", security.show_codes, name="mfa_view_recovery_codes"),
    path("security/codes/new/", security.new_codes, name="mfa_generate_recovery_codes"),
    path("security/again/", security.password_again, name="account_reauthenticate"),
    path("security/again/code/", security.code_again, name="mfa_reauthenticate"),
    path("security/again/passkey/", security.key_again, name="mfa_reauthenticate_webauthn"),
    path("security/again/sign-on/", security.sign_on_again, name="account-again-sign-on"),
    path("security/password/", security.password, name="account-password"),
    path("security/sign-on/", security.connect, name="account-connect"),
    path("security/sign-on/remove/", security.disconnect, name="account-disconnect"),
    path("security/log-ins/<int:pk>/end/", security.end_one, name="account-end"),
    path("security/log-ins/end/", security.end_others, name="account-end-others"),
    path("security/known/", security.known, name="account-known"),
]
