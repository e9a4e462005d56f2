"""The statements of a script end where psql ends them."""

import pytest

from pgsim.transfer.statements import Statements, StrangeStatementError

WHOLE = [
    "SET standard_conforming_strings = on;",
    "COMMENT ON TABLE a IS 'it''s; COMMIT; \\';",
    "SELECT E'\\'; COMMIT;', \"; COMMIT;\", $$; COMMIT;$$, $a$ $$; COMMIT; $a$;",
    "-- it's a comment; COMMIT;",
    "/* it's /* one */ ; COMMIT; */ SELECT a$b, $1, 1;",
    "CREATE RULE a AS ON INSERT TO b DO ALSO (COMMIT; COMMIT);",
    "CREATE FUNCTION a() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; COMMIT; END;",
    "CREATE OR REPLACE PROCEDURE a()\n    LANGUAGE sql\n    BEGIN ATOMIC\n SELECT 1;\nEND;",
    "CREATE TABLE begin (commit integer);",
    "SET standard_conforming_strings = off;",
    "COMMENT ON TABLE a IS 'it\\'; COMMIT; ';",
]


@pytest.mark.parametrize("lines", [1, 2, 100])
def test_what_ends_a_transaction_is_seen_after_any_statement_and_nowhere_else(lines: int) -> None:
    for place in range(len(WHOLE) + 1):
        statements = Statements()
        before = "\n".join(WHOLE[:place]).encode().splitlines(keepends=True)
        for at in range(0, len(before), lines):
            statements.read(b"".join(before[at : at + lines]), rows_follow=False)
        statements.read(b"\n", rows_follow=True)
        with pytest.raises(StrangeStatementError, match="holds no ROLLBACK"):
            statements.read(b" rollback and chain;", rows_follow=False)


@pytest.mark.parametrize(
    "statement",
    [
        "COPY a FROM stdin WITH (FORMAT csv);\n",
        "COPY a TO stdout;\n",
        "copy a from stdin;\n",
        "COPY a FROM stdin; SELECT 1;\n",
        "/* */ COPY a\nFROM stdin;\n",
    ],
)
def test_no_dump_copies_otherwise(statement: str) -> None:
    with pytest.raises(StrangeStatementError, match="copies rows from itself alone"):
        Statements().read(statement.encode(), rows_follow=True)


def test_rows_follow_a_copy_at_once() -> None:
    Statements().read(b"-- rows\nCOPY a (b) FROM stdin;\n", rows_follow=True)
    with pytest.raises(StrangeStatementError, match="copies rows from itself alone"):
        Statements().read(b"COPY a (b) FROM stdin;\r\n", rows_follow=False)
