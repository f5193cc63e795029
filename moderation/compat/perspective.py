"""The perspective interface."""

from flask import Blueprint

routes = Blueprint("perspective", __name__)
