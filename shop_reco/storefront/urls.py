from django.urls import path

from . import shelves, views

app_name = "shop_reco_storefront"
urlpatterns = [
    path("", views.home, name="home"),
    path("product/<uuid:public_id>/", views.product, name="product"),
    path("search/", shelves.search, name="search"),
    path("category/<str:slug>/", shelves.category, name="category"),
    path("cart/", views.cart, name="cart"),
    path("checkout/", views.checkout, name="checkout"),
    path("thanks/", views.thanks, name="thanks"),
    path("portrait/", views.portrait, name="portrait"),
    path("portrait/from/", views.portrait_evidence, name="portrait-evidence"),
    path("history/", views.history, name="history"),
    path("shop-as/", views.shop_as, name="shop-as"),
    path("picture/<str:slug>.svg", views.picture, name="picture"),
]
