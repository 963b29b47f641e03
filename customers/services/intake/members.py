"""Members of a cluster: staged text checked and merged, a row that is sent again in place of the former."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from branch.domain.actor import Actor, system_actor
from branch.domain.identity import IdentityError, parse_uscc
from branch.domain.refusals import InvalidInput
from branch.fields import cipher
from branch.queries.actors import actor_for
from branch.services.events import record, record_all, snapshot
from customers.domain.names import name_key
from customers.models import Cluster, ClusterMember, RecordImport
from customers.services.intake.figures import lock_sources
from customers.services.intake.findings import RAW, Check, any_of, write_findings
from customers.services.intake.reading import BROKEN
from customers.services.intake.sql import counter_of, day, fill, number, one_of, trimmed, within
from customers.services.profile import Checker, clean_phone

Role = ClusterMember.Role
ROLE_WORDS = {
    Role.SUPPLIER.value: ("supplier", "供应商", "上游", "供货商"),
    Role.DEALER.value: ("dealer", "distributor", "经销商", "下游", "代理商", "分销商"),
    Role.TENANT.value: ("tenant", "租户", "承租户", "入驻商户"),
    Role.MERCHANT.value: ("merchant", "商户", "商家", "店铺"),
    Role.OTHER.value: ("other", "其他", "其它"),
}
YES_OR_NO = {
    "true": ("是", "有", "y", "yes", "true", "1", "逾期"),
    "false": ("否", "无", "没有", "n", "no", "false", "0", "-"),
}
TEXTS = (
    "name", "uscc", "contact_name", "phone", "role", "years_with_anchor", "annual_trade", "annual_sales", "employees",
    "has_overdue", "left_on",
)  # fmt: skip
#: Number columns with the decimal places they may have, and what is more than any value.
NUMBERS = {
    "years_with_anchor": (1, 300),
    "annual_trade": (2, 10**14),
    "annual_sales": (2, 10**14),
    "employees": (0, 10**7),
}
CHECKS = (
    Check("text", "", "c.is_broken"),
    Check("missing", "name", "c.name_key = ''"),
    Check("too_long", "name", "length(c.name) > 120 OR length(c.name_key) > 120"),
    Check("not_a_uscc", "uscc", "c.uscc IS NULL"),
    Check("too_long", "contact_name", "length(c.contact_name) > 60"),
    Check("unknown_role", "role", "c.role IS NULL"),
    *(Check("not_a_number", name, f"c.{name}_is_bad") for name in NUMBERS),
    Check("not_yes_or_no", "has_overdue", "c.has_overdue IS NULL"),
    Check("not_a_date", "left_on", "c.left_on_sent AND c.left_on IS NULL"),
    Check("future", "left_on", "coalesce(c.left_on > %(today)s, false)"),
    Check("not_a_phone", "phone", "c.is_bad_phone", "flagged"),
)
#: Values a row brings; the phone apart, which stands encrypted.
VALUES = tuple(name for name in TEXTS if name not in ("uscc", "phone"))


def merge_members(cursor: Any, record_import: RecordImport, reach: tuple[str, tuple], today: date) -> Counter[str]:
    """Check what is in `staged` and merge what is good into the cluster of the source. Rows by what became of them.

    A member is known again by its USCC, or by its name where one of the two has none. Columns the file does not have
    keep what was known. Raises InvalidInput where source or sender are not the cluster's.
    """
    cluster = cluster_of(record_import)
    parameters = {
        "import": record_import.pk,
        "source_id": record_import.source_id,
        "cluster": cluster.pk,
        "today": today,
        "is_broken": record_import.form["has_broken_text"],
    }
    _work_on_texts(cursor)
    _check(cursor, parameters)
    checks = [Check(c.code, c.field, cursor.mogrify(c.found, parameters).decode(), c.weight) for c in CHECKS]
    write_findings(cursor, record_import.pk, checks)
    _find_known(cursor, parameters)
    sent = [name for name in TEXTS if name in record_import.mapping]
    changed = _note_changes(cursor, sent)
    former = {row.pk: snapshot(row) for row in ClusterMember.objects.filter(pk__in=changed)}
    _write(cursor, parameters, sent)
    counts = counted(cursor)
    actor = actor_for(record_import.owner) if record_import.owner else None
    _tell(cluster, actor, former, counts, record_import)
    return counts


def cluster_of(record_import: RecordImport) -> Cluster:
    """The cluster whose source this is, locked. Raises InvalidInput where there is none, or it is not the sender's."""
    cluster = Cluster.objects.select_for_update().filter(source_id=record_import.source_id).first()
    if cluster is None:
        raise InvalidInput(fields={"source_id": [_("This source is no cluster's.")]})
    if record_import.owner_id not in (None, cluster.owner_id):
        raise InvalidInput(fields={"source_id": [_("Only the cluster's account manager sends in its files.")]})
    if cluster.state == "closed":
        raise InvalidInput(fields={"source_id": [_("This cluster is closed.")]})
    return cluster


def _work_on_texts(cursor: Any) -> None:
    """`worked`: by line what no SQL can do, the key of the name, the checked USCC (\\N: no such code), the phone."""
    cursor.execute(
        f"SELECT line, {trimmed('name')}, {trimmed('uscc')}, {trimmed('phone')} FROM staged WHERE problem = ''"
    )
    rows = []
    for line, name, uscc, phone in cursor.fetchall():
        checker = Checker()
        good = clean_phone(checker, "phone", phone)
        is_bad = bool(checker.errors)
        rows.append((line, name_key(name), usable_uscc(uscc), "" if is_bad else good, is_bad))
    columns = "line bigint, name_key text, good_uscc text, good_phone text, is_bad_phone bool"
    fill(cursor, "worked", columns, rows)


def usable_uscc(text: str) -> str | None:
    """The code as it is kept; empty for none, None for what is no such code."""
    if not text:
        return ""
    try:
        return parse_uscc(text)
    except IdentityError:
        return None


def _check(cursor: Any, parameters: dict[str, Any]) -> None:
    texts = ", ".join(f"{trimmed(name)} AS {name}" for name in TEXTS)
    read = ", ".join(f"{number(name)} AS {name}, {name} <> '' AS {name}_sent" for name in NUMBERS)
    sized = ", ".join(f"{within(name, places)} AS {name}, {name}_sent" for name, (places, _most) in NUMBERS.items())
    bad = ", ".join(
        f"{name}_sent AND coalesce({name} < 0 OR {name} >= {most}, true) AS {name}_is_bad"
        for name, (_places, most) in NUMBERS.items()
    )
    cursor.execute(
        f"""
        CREATE TEMP TABLE checked ON COMMIT DROP AS
        WITH texts AS (SELECT line, {texts} FROM staged WHERE problem = '' OFFSET 0),
        read AS (
            SELECT line, name, w.name_key, w.good_uscc AS uscc, contact_name, w.good_phone AS phone, w.is_bad_phone,
                   CASE WHEN role = '' THEN 'other' ELSE {one_of("role", ROLE_WORDS)} END AS role, {read},
                   CASE WHEN has_overdue = '' THEN 'false' ELSE {one_of("has_overdue", YES_OR_NO)} END::bool
                       AS has_overdue,
                   {day("left_on")} AS left_on, left_on <> '' AS left_on_sent,
                   %(is_broken)s AND concat({", ".join(TEXTS)}) LIKE '%%{BROKEN}%%' AS is_broken
            FROM texts JOIN worked w USING (line) OFFSET 0
        ), sized AS (
            SELECT line, name, name_key, uscc, contact_name, phone, is_bad_phone, role, has_overdue, left_on,
                   left_on_sent, is_broken, {sized}
            FROM read OFFSET 0
        ), judged AS (SELECT *, {bad} FROM sized OFFSET 0)
        SELECT c.*, coalesce({any_of(CHECKS)}, true) AS is_rejected,
               coalesce({any_of(CHECKS)}, true) OR c.is_bad_phone AS is_notable
        FROM judged c
        """,
        parameters,
    )


def _find_known(cursor: Any, parameters: dict[str, Any]) -> None:
    """`known`: the last good row of each member, and the member it is known again as."""
    lock_sources(cursor, [parameters["source_id"]])
    for statement in (
        """
        CREATE TEMP TABLE known ON COMMIT DROP AS
        WITH last AS (
            SELECT DISTINCT ON (key) * FROM (
                SELECT checked.*, CASE WHEN uscc <> '' THEN uscc ELSE 'name:' || name_key END AS key
                FROM checked WHERE NOT is_rejected
            ) keyed ORDER BY key, line DESC
        ), found AS (
            SELECT l.*, coalesce(
                (SELECT m.id FROM customers_clustermember m
                 WHERE m.cluster_id = %(cluster)s AND m.uscc = l.uscc AND l.uscc <> ''),
                (SELECT m.id FROM customers_clustermember m
                 WHERE m.cluster_id = %(cluster)s AND m.name_key = l.name_key AND (m.uscc = '' OR l.uscc = '')
                 ORDER BY m.uscc = '' DESC, m.id LIMIT 1)
            ) AS former_id
            FROM last l
        )
        SELECT f.*, false AS is_changed,
               -- Two rows of one file may be the same member by code and by name: the later stands.
               row_number() OVER (PARTITION BY coalesce(former_id, -line) ORDER BY line DESC) AS place
        FROM found f
        """,
        "DELETE FROM known WHERE place > 1",
        f"""
        INSERT INTO customers_importfinding (record_import_id, line, field, weight, code, raw)
        SELECT %(import)s, c.line, '', 'noted', 'sent_twice', {RAW}
        FROM checked c JOIN staged s ON s.line = c.line
        WHERE NOT c.is_rejected AND NOT EXISTS (SELECT 1 FROM known k WHERE k.line = c.line)
        """,
    ):
        cursor.execute(statement, parameters)


def _note_changes(cursor: Any, sent: list[str]) -> list[int]:
    """Mark in `known` what differs from the member on file, phones included; the keys of those members."""
    differs = " OR ".join(f"k.{name} IS DISTINCT FROM m.{name}" for name in VALUES if name in sent)
    cursor.execute(
        f"""
        UPDATE known k SET is_changed = true FROM customers_clustermember m
        WHERE m.id = k.former_id AND ({differs} OR (k.uscc <> '' AND k.uscc <> m.uscc))
        """
    )
    cursor.execute(
        "SELECT k.line, k.phone, m.phone FROM known k LEFT JOIN customers_clustermember m ON m.id = k.former_id"
    )
    encrypted, changed = [], []
    for line, phone, former in cursor.fetchall():
        plain = cipher().decrypt(former.encode()).decode() if former else ""
        if "phone" not in sent or plain == phone:
            encrypted.append((line, former or ""))
        else:
            encrypted.append((line, cipher().encrypt(phone.encode()).decode() if phone else ""))
            changed.append(line)
    fill(cursor, "phones", "line bigint, phone text NOT NULL", encrypted)
    cursor.execute("UPDATE known k SET phone = f.phone FROM phones f WHERE f.line = k.line")
    cursor.execute("UPDATE known SET is_changed = true WHERE line = ANY(%s) AND former_id IS NOT NULL", [changed])
    cursor.execute("SELECT former_id FROM known WHERE is_changed")
    return [row[0] for row in cursor.fetchall()]


def _write(cursor: Any, parameters: dict[str, Any], sent: list[str]) -> None:
    columns = ("name_key", "phone", *VALUES)
    kept = ", ".join(f"{name} = k.{name}" for name in (*sent, "name_key") if name != "uscc")
    for statement in (
        f"""
        UPDATE customers_clustermember m
        SET {kept}, uscc = CASE WHEN k.uscc <> '' THEN k.uscc ELSE m.uscc END,
            record_import_id = %(import)s, line = k.line, updated_at = now()
        FROM known k WHERE m.id = k.former_id AND k.is_changed
        """,
        f"""
        INSERT INTO customers_clustermember
            (cluster_id, uscc, {", ".join(columns)}, record_import_id, line)
        SELECT %(cluster)s, uscc, {", ".join(columns)}, %(import)s, line
        FROM known WHERE former_id IS NULL ORDER BY line
        """,
        # Whoever is on file by the code is the customer; a link made otherwise stays.
        """
        UPDATE customers_clustermember m SET customer_id = c.id FROM customers_customer c
        WHERE m.cluster_id = %(cluster)s AND m.uscc <> '' AND c.uscc = m.uscc
          AND m.customer_id IS DISTINCT FROM c.id
        """,
    ):
        cursor.execute(statement, parameters)


def counted(cursor: Any) -> Counter[str]:
    """Rows by what became of them, from `staged`, `checked` and `known` (former_id, is_changed)."""
    cursor.execute(
        """
        SELECT (SELECT count(*) FROM checked WHERE is_rejected)
                   + (SELECT count(*) FROM staged WHERE problem <> '') AS rejected,
               count(*) FILTER (WHERE former_id IS NULL) AS accepted,
               count(*) FILTER (WHERE is_changed) AS replaced,
               count(*) FILTER (WHERE former_id IS NOT NULL AND NOT is_changed) AS unchanged,
               (SELECT count(*) FROM checked WHERE NOT is_rejected) - count(*) AS overtaken
        FROM known
        """
    )
    return counter_of(cursor)


def _tell(
    cluster: Cluster,
    actor: Actor | None,
    former: dict[int, dict[str, Any]],
    counts: Counter[str],
    record_import: RecordImport,
) -> None:
    """One event of the cluster for the rows of this chunk, and one of every member whose facts were replaced."""
    by = actor or system_actor()
    record("cluster.take_in", cluster, actor=by, before={}, after={"import": record_import.pk, **counts})
    replaced = ClusterMember.objects.filter(pk__in=former).select_related("cluster__office")

    def after(member: ClusterMember) -> dict[str, Any]:
        return {key: value for key, value in snapshot(member).items() if value != former[member.pk][key]}

    def before(member: ClusterMember) -> dict[str, Any]:
        now = snapshot(member)
        return {key: value for key, value in former[member.pk].items() if value != now[key]}

    record_all("clustermember.replace", replaced, actor=by, before=before, after=after)
