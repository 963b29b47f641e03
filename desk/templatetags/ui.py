"""The template language of the house, under one name; what it says stands in desk/ui."""

from __future__ import annotations

from django import template

from desk.ui import drawings, lists, states, things, values

register = template.Library()

for function in (*values.FILTERS, *states.FILTERS, *lists.FILTERS, *things.FILTERS):
    register.filter(function)
for tag in (*drawings.TAGS, *states.TAGS):
    register.simple_tag(tag)
register.simple_tag(things.fact, takes_context=True)
register.simple_tag(things.screening_stop, takes_context=True)
