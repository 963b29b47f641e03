"""The parameters in force, for the page that lists them."""

from django import template

from branch.queries.parameters_in_force import parameters_in_force

register = template.Library()
register.simple_tag(parameters_in_force)
