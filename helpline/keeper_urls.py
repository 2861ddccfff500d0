"""What the system keeper keeps: users, agencies, legal grounds. No cases."""

from django.urls import path

from helpline import keeper, keeper_access, keeper_agencies, keeper_board

app_name = "keeper"
urlpatterns = [
    path("users/", keeper.user_list, name="user-list"),
    path("users/add/", keeper.user_add, name="user-add"),
    path("users/<int:pk>/", keeper.user_edit, name="user-edit"),
    path("users/<int:pk>/invite/", keeper_access.invite, name="user-invite"),
    path("users/<int:pk>/reset/", keeper_access.reset, name="user-reset"),
    path("users/<int:pk>/end/", keeper_access.end, name="user-end"),
    path("agencies/", keeper_agencies.agency_list, name="agency-list"),
    path("agencies/add/", keeper_agencies.agency_add, name="agency-add"),
    path("agencies/<int:pk>/", keeper_agencies.agency_edit, name="agency-edit"),
    path("agencies/<int:pk>/verify/", keeper_agencies.agency_verify, name="agency-verify"),
    path("agencies/export/", keeper_agencies.agency_export, name="agency-export"),
    path("grounds/", keeper.grounds, name="grounds"),
    path("board/", keeper_board.board, name="board"),
]
