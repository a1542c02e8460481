"""Markers, as those who write handlers hold them."""

from __future__ import annotations

import pytest

from kingpost import Form, Struct


class Order(Struct):
    product: str


def test_an_empty_form_is_not_valid_and_has_no_messages() -> None:
    form = Form.empty(Order)

    assert (form.is_valid, form.errors, form.data) == (False, {}, {})
    with pytest.raises(ValueError, match=r"look at form\.is_valid first"):
        form.value  # noqa: B018 - the look at it is what is refused
