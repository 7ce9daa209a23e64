from django.urls import path

from . import views

app_name = "shop_reco_storefront"
urlpatterns = [
    path("", views.home, name="home"),
    path("product/<uuid:public_id>/", views.product, name="product"),
    path("search/", views.search, name="search"),
    path("category/<str:slug>/", views.category, name="category"),
    path("cart/", views.cart, name="cart"),
    path("portrait/", views.portrait, name="portrait"),
    path("portrait/from/", views.portrait_evidence, name="portrait-evidence"),
    path("shop-as/", views.shop_as, name="shop-as"),
    path("picture/<str:slug>.svg", views.picture, name="picture"),
]
