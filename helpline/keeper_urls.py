"""What the system keeper keeps: users, agencies, legal grounds. No cases."""

from django.urls import path

from helpline import keeper, keeper_board

app_name = "keeper"
urlpatterns = [
    path("users/", keeper.user_list, name="user-list"),
    path("users/add/", keeper.user_add, name="user-add"),
    path("users/<int:pk>/", keeper.user_edit, name="user-edit"),
    path("agencies/", keeper.agency_list, name="agency-list"),
    path("agencies/add/", keeper.agency_add, name="agency-add"),
    path("agencies/<int:pk>/", keeper.agency_edit, name="agency-edit"),
    path("grounds/", keeper.grounds, name="grounds"),
    path("board/", keeper_board.board, name="board"),
]
