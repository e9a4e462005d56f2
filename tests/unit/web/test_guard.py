"""How many requests a client may make."""

from pgsim.web.guard import Rates


def test_a_client_may_ask_twice_the_rate_at_once_and_then_at_the_rate() -> None:
    now = [0.0]
    rates = Rates(5, clock=lambda: now[0])
    assert [rates.take("a") for _ in range(12)] == [True] * 10 + [False] * 2
    assert rates.take("b")
    now[0] += 0.4
    assert [rates.take("a") for _ in range(3)] == [True, True, False]
    now[0] += 1000
    assert [rates.take("a") for _ in range(11)] == [True] * 10 + [False]


def test_a_network_of_ipv6_is_one_client() -> None:
    rates = Rates(1, clock=lambda: 0.0)
    asked = [rates.take(f"2001:db8::{number}") for number in range(5)]
    assert asked == [True, True, False, False, False]
    assert rates.take("2001:db8:0:1::1")
    assert rates.take("fe80::1%eth0")
    assert rates.take("no:address")


def test_the_clients_that_are_remembered_are_bounded() -> None:
    rates = Rates(1, clock=lambda: 0.0)
    for number in range(20_000):
        assert rates.take(str(number))
    assert len(rates._left) == 10_000
