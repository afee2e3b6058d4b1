"""An address where no Ray cluster answers is one short message, at once."""

from __future__ import annotations

import socket

import pytest

from bert_ner.errors import BertNerError


@pytest.fixture
def closed_port() -> int:
    """Return a port at which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize(
    "address", ["127.0.0.1:{}", "ray://127.0.0.1:{}", "nowhere.invalid:{}", "127.0.0.1:100000", "lcoal"]
)
def test_an_address_where_nothing_answers(address: str, closed_port: int) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'bert-ner[cluster]'")
    from bert_ner.scale.cluster import connected  # noqa: PLC0415 - imports ray

    address = address.format(closed_port)
    complaint = f"no Ray cluster answers at {address} .*start it with"
    with pytest.raises(BertNerError, match=complaint) as found, connected(address):
        pass
    assert "\n" not in str(found.value)


def test_the_address_in_the_environment_is_tried_as_well(closed_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'bert-ner[cluster]'")
    from bert_ner.scale.cluster import connected  # noqa: PLC0415 - imports ray

    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{closed_port}")
    with pytest.raises(BertNerError, match="no Ray cluster answers at auto"), connected("auto"):
        pass
