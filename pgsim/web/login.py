"""Who asks: a user's key, or Subsonic's name with a password or a token of it."""

import hmac
from hashlib import md5
from http import HTTPStatus
from pathlib import Path

from starlette.requests import Request

from pgsim.errors import PgsimError
from pgsim.web.problems import Problem
from pgsim.web.reader import Reader
from pgsim.web.users import digest_of, key_of, read_secret

COOKIE = "pgsim_key"  # of who has logged in on the page


class Login:
    """Recognises users by the table, and their tokens by the secret, which the first user makes."""

    def __init__(self, reader: Reader, secret: Path) -> None:
        self._reader, self._secret = reader, secret

    async def require_key(self, request: Request) -> str:
        """Return whose key a request has: a bearer's, X-API-Key, or the page's cookie.

        Problem 401 for none, or nobody's.
        """
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            key = request.headers.get("x-api-key") or request.cookies.get(COOKIE, "")
        name = await self.of_key(key.strip())
        if name is None:
            raise Problem(
                HTTPStatus.UNAUTHORIZED,
                "this server answers those who have a key",
                "send it as Authorization: Bearer KEY; pgsim user add NAME makes one",
            )
        return name

    async def of_key(self, key: str) -> str | None:
        """Return whose key it is; None if nobody's."""
        rows = await self._reader.rows(
            "SELECT u.name FROM pgsim.web_user AS u WHERE u.key_digest = %(digest)s::bytea",
            {"digest": digest_of(key)},
        )
        return str(rows[0][0]) if rows else None

    async def is_password(self, name: str, password: str) -> bool:
        """Return whether it is the user's password, which is the key."""
        return name == await self.of_key(password)

    async def is_token(self, name: str, token: str, salt: str) -> bool:
        """Return whether a token is the MD5 of the user's password and a salt."""
        rows = await self._reader.rows(
            "SELECT u.salt FROM pgsim.web_user AS u WHERE u.name = %(name)s::text", {"name": name}
        )
        if not self._secret.exists():
            return False
        try:
            secret = read_secret(self._secret)
        except PgsimError as error:
            raise Problem(
                HTTPStatus.INTERNAL_SERVER_ERROR, "tokens cannot be checked: see the server's log"
            ) from error
        # An unknown user takes as long as a known one.
        password = key_of(secret, name, rows[0][0] if rows else b"")
        right = md5(f"{password}{salt}".encode(), usedforsecurity=False).hexdigest()
        return hmac.compare_digest(right.encode(), token.lower().encode()) and bool(rows)
