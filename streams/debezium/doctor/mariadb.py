"""MariaDB's and MySQL's side: the binary log and the tables."""

from __future__ import annotations

from streams.debezium.database import Database
from streams.debezium.doctor.finding import Finding, included, matches
from streams.debezium.doctor.postgres import no_key
from streams.debezium.files import ConnectorFile

WANTED = {
    "binlog_format": ("ROW", "the log has statements instead of rows: nothing can be read from it"),
    "binlog_row_image": ("FULL", "an update lacks the columns that did not change, and is refused"),
}
TABLES = """
SELECT concat(t.table_schema, '.', t.table_name),
       (SELECT count(*) FROM information_schema.table_constraints c WHERE c.table_schema = t.table_schema
        AND c.table_name = t.table_name AND c.constraint_type = 'PRIMARY KEY')
FROM information_schema.tables t WHERE t.table_type = 'BASE TABLE'
AND t.table_schema NOT IN ('mysql', 'sys', 'performance_schema', 'information_schema') ORDER BY 1
"""


def look_at_mariadb(database: Database, file: ConnectorFile) -> list[Finding]:
    """Look at the binary log's settings and at the tables that a connector reads."""
    found = []
    for name, (wanted, cost) in WANTED.items():
        ((_, value),) = database.rows(f"SHOW GLOBAL VARIABLES LIKE '{name}'")
        if str(value).upper() != wanted:
            mend = f"mariadb: SET GLOBAL {name} = {wanted}, and the same in the server's configuration"
            found.append(Finding("binary-log", name, f"it is {value}", cost, mend))
    tables = {str(name): bool(keys) for name, keys in database.rows(TABLES)}
    for pattern in file.list("table.include.list"):
        if not any(matches([pattern], name) for name in tables):
            mend = f"correct table.include.list in {file.where}, or make the table"
            said = f"{file.name} is to read it, and the database has no such table"
            found.append(Finding("tables", pattern, said, "none of its rows will ever come", mend))
    named = file.config.get("message.key.columns", "")
    read = included(file, tables)
    return found + [no_key(file, one) for one in read if not tables[one] and f"{one}:" not in named]
