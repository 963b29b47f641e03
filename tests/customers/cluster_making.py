"""Clusters for tests: judged, capped, and with members from a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from branch.domain.actor import Actor
from customers.models import Cluster, RecordImport
from customers.services import clusters, imports
from tests.customers.making import uscc_of

MEMBER_HEADINGS = (
    "企业名称",
    "统一社会信用代码",
    "联系人",
    "手机",
    "角色",
    "合作年限",
    "年交易额",
    "年销售额",
    "人数",
    "是否逾期",
)
EVALUATION: dict[str, Any] = {
    "anchor_standing": "sound",
    "anchor_years": 12,
    "members_count": 200,
    "members_left": 8,
    "defaulted_members": 0,
    "years_running": 6,
    "proposed_cap": Decimal("50000000.00"),
    "proposed_member_cap": Decimal("500000.00"),
}
Who = Callable[[str], Actor]


class Sent(io.BytesIO):
    name = "members.csv"


def new_cluster(who: Who, code: str = "hardware", **changes: Any) -> Cluster:
    values = {"kind": "industrial_chain", "name": "五金产业链", "anchor_name": "鑫达五金集团", "code": code}
    return clusters.create_cluster(actor=who("lin"), **(values | changes))


def active_cluster(who: Who, code: str = "hardware", **changes: Any) -> Cluster:
    """Judged by lin, capped by sun, who is a risk reviewer."""
    cluster = new_cluster(who, code)
    clusters.evaluate_cluster(actor=who("lin"), cluster_id=cluster.pk, **(EVALUATION | changes))
    clusters.submit_cluster(actor=who("lin"), cluster_id=cluster.pk)
    return clusters.activate_cluster(actor=who("sun"), cluster_id=cluster.pk)


def member_row(number: int, **changes: Any) -> dict[str, str]:
    """A member nothing speaks against: 3 years, a million with the anchor out of four."""
    values: dict[str, Any] = dict(
        zip(
            MEMBER_HEADINGS,
            (f"成员{number:04d}五金店", uscc_of(10_000 + number), "王", "13800138000", "供应商", "3", "1000000",
             "4000000", "12", "否"),
            strict=True,
        )
    )  # fmt: skip
    return {name: str(value) for name, value in (values | changes).items()}


def file_of(rows: Iterable[Mapping[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, MEMBER_HEADINGS, restval="", extrasaction="raise")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def taken_in(who: Who, cluster: Cluster, rows: Iterable[Mapping[str, str]] | bytes) -> RecordImport:
    """A file of members sent in by lin and taken in whole."""
    content = rows if isinstance(rows, bytes) else file_of(rows)
    sent = clusters.take_in_members(actor=who("lin"), cluster_id=cluster.pk, file=Sent(content))
    imports.start_import(actor=who("lin"), record_import_id=sent.pk, mapping=imports.suggested_for(sent))
    imports.run_import(sent.pk)
    return RecordImport.objects.get(pk=sent.pk)
