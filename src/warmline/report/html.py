"""
The pages' templates: what a result says is text, never markup, and a name that is missing is an error.
"""

from __future__ import annotations


def render(template: str, **values: object) -> str:
    """
    A page that needs nothing else.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("warmline.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**values)
