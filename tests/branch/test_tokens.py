"""Signing in over the API: a token for a password, a second factor where one is owed, a lockout for guessing."""

from __future__ import annotations

import statistics
import time
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt
from django.test import Client
from knox.models import AuthToken
from rest_framework.throttling import ScopedRateThrottle

from branch.models import Event, ParameterValue

SIGN_IN = "/api/v1/auth/token/"
ANYTHING = "/api/v1/attachments/?subject_type=customer&subject_id=1"


@pytest.fixture(autouse=True)
def no_throttle(monkeypatch, settings):
    """Rates are counted in a cache that outlives a test."""
    settings.AXES_ENABLED = True
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"sign-in": "1000/min"})


def sign_in(username: str = "lin", password: str = "demo", **more):
    body = {"username": username, "password": password} | {k: v for k, v in more.items() if k == "code"}
    address = more.get("address", "127.0.0.1")
    return Client(REMOTE_ADDR=address).post(SIGN_IN, body, content_type="application/json", headers=more.get("headers"))


def ask(token: str, url: str = ANYTHING):
    return Client().get(url, headers={"Authorization": f"Token {token}"})


def set_up_totp(user) -> str:
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret


def code_for(secret: str, steps: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def kind(response) -> str:
    assert response["Content-Type"] == "application/problem+json"
    return response.json()["type"].rpartition("/")[2]


def test_a_right_password_gives_a_token_that_works(cast) -> None:
    response = sign_in()

    assert response.status_code == 200
    assert set(response.json()) == {"token", "expiry"}
    assert ask(response.json()["token"]).status_code == 404  # past the door: there is no customer 1
    assert ask("no-token").status_code == 401
    assert Event.objects.get(name="user.sign_in").after == {"channel": "api"}
    assert response.json()["token"] not in str(list(Event.objects.values()))
    assert "sessionid" not in response.cookies


@pytest.mark.parametrize(("username", "password"), [("lin", "wrong"), ("nobody", "demo"), ("", "demo"), ("lin", "")])
def test_a_wrong_name_or_password_gives_none_and_the_same_answer(cast, username, password) -> None:
    response = sign_in(username, password)

    assert response.status_code == (401 if username and password else 400)
    if response.status_code == 401:
        assert kind(response) == "sign-in-failed"
        assert response["WWW-Authenticate"] == "Token"
        assert response.json()["detail"] == sign_in("nobody", "nothing").json()["detail"]
    assert not AuthToken.objects.exists()


def test_a_deactivated_person_gets_none(cast) -> None:
    token = sign_in().json()["token"]
    cast.lin.is_active = False
    cast.lin.save()
    assert kind(sign_in()) == "sign-in-failed"
    assert ask(token).status_code == 401


@pytest.mark.parametrize(
    "body", ["[]", '"x"', "{", '{"username": ["a"], "password": {}}', '{"username": "a\\u0000", "password": "b"}']
)
def test_a_body_of_another_shape_is_a_problem_not_a_crash(cast, body) -> None:
    response = Client().post(SIGN_IN, body, content_type="application/json")
    assert response.status_code == 400
    assert kind(response) in {"invalid-input", "parse-error"}


def test_guessing_locks_the_name_out_also_for_the_right_password(cast, settings) -> None:
    for _ in range(settings.AXES_FAILURE_LIMIT - 1):
        assert kind(sign_in(password="wrong")) == "sign-in-failed"
    locked = sign_in(password="wrong")

    assert (locked.status_code, kind(locked)) == (429, "locked-out")
    assert int(locked["Retry-After"]) == settings.AXES_COOLOFF_TIME.total_seconds()
    assert kind(sign_in()) == "locked-out"
    assert sign_in("zhao").status_code == 200
    assert not AuthToken.objects.filter(user=cast.lin).exists()


def test_a_key_for_repeating_does_not_hide_guesses_from_the_lockout(cast, settings) -> None:
    for n in range(settings.AXES_FAILURE_LIMIT):
        response = sign_in(password=f"wrong-{n}", headers={"Idempotency-Key": f"k{n}"})
    assert response.status_code == 429
    assert kind(sign_in()) == "locked-out"


def test_a_right_password_forgives_earlier_mistakes(cast) -> None:
    sign_in(password="wrong")
    sign_in()
    assert not AccessAttempt.objects.exists()


def test_the_same_key_gives_the_same_token(cast) -> None:
    first = sign_in(headers={"Idempotency-Key": "once"})
    again = sign_in(headers={"Idempotency-Key": "once"})
    assert first.json() == again.json()
    assert AuthToken.objects.count() == 1


def test_who_has_a_second_factor_must_show_it(cast) -> None:
    secret = set_up_totp(cast.lin)

    asked = sign_in()
    assert (asked.status_code, kind(asked)) == (401, "mfa-required")
    assert kind(sign_in(code="000000")) == "sign-in-failed"
    assert kind(sign_in(password="wrong", code=code_for(secret))) == "sign-in-failed"
    assert not AuthToken.objects.exists()

    assert sign_in(code=code_for(secret, 0)).status_code == 200


def test_a_code_works_once(cast) -> None:
    secret = set_up_totp(cast.lin)
    code = code_for(secret)
    assert sign_in(code=code).status_code == 200
    assert kind(sign_in(code=code)) == "sign-in-failed"


def test_a_recovery_code_works_once(cast) -> None:
    set_up_totp(cast.lin)
    code = RecoveryCodes.activate(cast.lin).generate_codes()[0]
    assert sign_in(code=code).status_code == 200
    assert kind(sign_in(code=code)) == "sign-in-failed"


def test_guessing_codes_locks_out_too(cast, settings) -> None:
    secret = set_up_totp(cast.lin)
    for _ in range(settings.AXES_FAILURE_LIMIT):
        response = sign_in(code="000000")
    assert kind(response) == "locked-out"
    assert kind(sign_in(code=code_for(secret))) == "locked-out"


def test_the_secret_of_an_authenticator_does_not_stand_in_clear(cast) -> None:
    secret = set_up_totp(cast.lin)
    assert secret not in str(list(Authenticator.objects.values("data")))


def test_a_role_that_asks_for_a_second_factor_gets_no_token_without_one(cast) -> None:
    """Zhou is an administrator: the parameter's default asks for a factor."""
    refused = sign_in("zhou")
    assert (refused.status_code, kind(refused)) == (403, "mfa-not-set-up")
    assert not AuthToken.objects.exists()

    secret = set_up_totp(cast.zhou)
    assert sign_in("zhou", code=code_for(secret)).status_code == 200


def test_the_parameter_says_which_roles_those_are(cast) -> None:
    ParameterValue.objects.create(code="mfa.required_roles", value=["account_manager"], effective_date="2020-01-01")
    assert sign_in("zhou").status_code == 200
    assert kind(sign_in("lin")) == "mfa-not-set-up"


def test_a_token_or_session_from_before_is_no_way_round(cast) -> None:
    """Whoever has not set up the factor their role asks for does nothing over the API, however they signed in."""
    _token, secret = AuthToken.objects.create(user=cast.zhou)
    browser = Client()
    browser.force_login(cast.zhou, backend="django.contrib.auth.backends.ModelBackend")

    for response in (ask(secret), browser.get(ANYTHING)):
        assert (response.status_code, kind(response)) == (403, "mfa-not-set-up")


def test_signing_out_ends_this_token_only(cast) -> None:
    one, two = sign_in().json()["token"], sign_in().json()["token"]
    assert Client().post("/api/v1/auth/logout/", headers={"Authorization": f"Token {one}"}).status_code == 204
    assert (ask(one).status_code, ask(two).status_code) == (401, 404)


def test_signing_out_everywhere_ends_all_of_them_and_the_browser(cast) -> None:
    one, two = sign_in().json()["token"], sign_in().json()["token"]
    other = sign_in("zhao").json()["token"]
    browser = Client()
    browser.force_login(cast.lin, backend="django.contrib.auth.backends.ModelBackend")
    UserSession.objects.create(user=cast.lin, ip="127.0.0.1", session_key=browser.session.session_key, user_agent="x")

    answer = Client().post("/api/v1/auth/logout-all/", headers={"Authorization": f"Token {one}"})

    assert answer.status_code == 204
    assert [ask(token).status_code for token in (one, two, other)] == [401, 401, 404]
    assert browser.get(ANYTHING).status_code == 401
    assert Event.objects.filter(name="user.sign_out_everywhere", actor_name="lin").count() == 1


def test_the_oldest_token_ends_when_there_are_too_many(cast, monkeypatch) -> None:
    monkeypatch.setattr("branch.services.sessions.knox_settings.TOKEN_LIMIT_PER_USER", 2)
    tokens = [sign_in().json()["token"] for _ in range(3)]
    assert [ask(token).status_code for token in tokens] == [401, 404, 404]


def test_sign_in_is_throttled(cast, monkeypatch) -> None:
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"sign-in": "2/min"})
    address = f"2001:db8::{uuid4().hex[:4]}:{uuid4().hex[:4]}"  # nobody was counted there before
    assert [sign_in(address=address).status_code for _ in range(3)] == [200, 200, 429]


def test_a_name_that_exists_takes_no_longer_to_refuse(cast, settings) -> None:
    """Measured with a hasher that costs something; the two may differ by noise, not by a hash."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
    settings.AXES_ENABLED = False
    cast.lin.set_password("demo")
    cast.lin.save()

    def seconds(username: str) -> float:
        runs = []
        for _ in range(5):
            start = time.perf_counter()
            sign_in(username, "wrong")
            runs.append(time.perf_counter() - start)
        return statistics.median(runs)

    known, unknown = seconds("lin"), seconds("nobody")
    assert 0.6 < known / unknown < 1.6
