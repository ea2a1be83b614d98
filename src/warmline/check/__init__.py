"""
The checker: what breaks a practice, found in handler code and in templates.

Text becomes facts (``source``, ``infra``), facts are joined to one :class:`~warmline.check.project.Project`, and rules
(``rules``) turn that into findings.
"""
