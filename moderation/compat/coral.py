"""The coral interface."""

from flask import Blueprint

routes = Blueprint("coral", __name__)
