"""
What is taken for a secret, and what only stands in its place.
"""

from __future__ import annotations

import pytest

from warmline.check.placeholder import is_placeholder, is_replaced


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "{}",
            "${PASSWORD}",
            "{{ password }}",
            "#{password}",
            "<password>",
            "<db_password>",
            "%s",
            "%(password)s",
        ),
        *("$PASSWORD", "[password]", "%PASSWORD%", "@@PASSWORD@@", "{password", "prefix-${STAGE}"),
        *(
            "password",
            "PASSWORD",
            "pass",
            "username",
            "my_password",
            "yourPassword",
            "db_password",
            "mongopass",
            "secret",
        ),
        *(
            "your-password-here",
            "changeme",
            "change_me",
            "replace_with_your_password",
            "xxx",
            "XXXX",
            "****",
            "...",
            "example",
        ),
    ],
)
def test_it_is_a_placeholder(text: str) -> None:
    assert is_placeholder(text)


@pytest.mark.parametrize(
    "text", ["hunter2", "password123", "P@ss$word1", "mysecret1", "admin", "a[1]b", "100%abc", "qwerty" * 20]
)
def test_it_is_no_placeholder(text: str) -> None:
    assert not is_placeholder(text)


def test_what_is_replaced_in_part_may_still_show_the_rest() -> None:
    assert is_placeholder("hunter2-${STAGE}")
    assert not is_replaced("hunter2-${STAGE}")
