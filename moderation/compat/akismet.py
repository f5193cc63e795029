"""The akismet interface."""

from flask import Blueprint

routes = Blueprint("akismet", __name__)
