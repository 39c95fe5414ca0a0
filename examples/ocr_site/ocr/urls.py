"""Which address belongs to which view."""

from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView

from . import views

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="ocr")),
    path("ocr", views.ocr, name="ocr"),
    path("api/predict", views.predict, name="predict"),
]
handler400 = views.refused
