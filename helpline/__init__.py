"""Helpline: the roof. Settings, the street map of URLs, the caseload, the demo."""

from helpline.celery import app as celery_app

__all__ = ["celery_app"]
