"""A cluster of the demo branch: members from a list, orders and receivables, pre-screened, a few made into leads."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import translation
from stdnum.cn import uscc

from branch.queries.business_date import business_date
from customers.models import Cluster, PrescreenResult, RecordImport
from customers.services import clusters, imports, prescreens
from desk.demo.people import actor

_TRADES = (
    *("紧固件", "轴承", "电动工具", "水暖管件", "锁具", "砂轮"),
    *("焊材", "标准件", "密封件", "气动元件", "刀具", "钢丝绳"),
)
_NAMES = ("恒泰", "永兴", "宏远", "金盛", "大同", "瑞丰")


def tell_cluster() -> None:
    """As far as a finished pre-screening and five leads."""
    with translation.override("zh-hans"):
        cluster = _active_cluster()
        _take_in(clusters.take_in_members, cluster, [_member(number) for number in range(48)])
        _take_in(clusters.take_in_documents, cluster, [_receivable(number) for number in range(0, 48, 3)])
        run = prescreens.start_prescreen(actor=actor("lin"), cluster_id=cluster.pk)
        prescreens.run_prescreen(run.pk)
        fit = PrescreenResult.objects.filter(run=run, outcome="fit").order_by("-amount", "pk")
        chosen = list(fit.values_list("member_id", flat=True)[:5])
        prescreens.make_cluster_leads(actor=actor("lin"), cluster_id=cluster.pk, member_ids=chosen)


def _active_cluster() -> Cluster:
    lin = actor("lin")
    cluster = clusters.create_cluster(
        actor=lin, code="jiangbei-hardware", name="江北五金城商圈", kind="business_circle", anchor_name="江北五金城市场"
    )
    clusters.evaluate_cluster(
        actor=lin, cluster_id=cluster.pk, anchor_standing="sound", anchor_years=14, members_count=48, members_left=2,
        defaulted_members=0, years_running=9, proposed_cap=Decimal(6_000_000), proposed_member_cap=Decimal(300_000),
    )  # fmt: skip
    clusters.submit_cluster(actor=lin, cluster_id=cluster.pk)
    return clusters.activate_cluster(actor=actor("sun"), cluster_id=cluster.pk)


def _take_in(service: Any, cluster: Cluster, rows: list[dict[str, Any]]) -> None:
    sent: RecordImport = service(actor=actor("lin"), cluster_id=cluster.pk, rows=rows)
    imports.run_import(sent.pk)


def _code(number: int) -> str:
    body = f"91330212MA7{number:06d}"
    return body + str(uscc.calc_check_digit(body))


def _member(number: int) -> dict[str, Any]:
    return {
        "name": f"{_NAMES[number % 6]}{_TRADES[number % 12]}商行{number + 1:02d}号",
        "uscc": _code(number),
        "contact_name": "赵钱孙李周吴郑王"[number % 8] + "老板",
        "phone": f"1390574{number:04d}",
        "role": "merchant",
        "years_with_anchor": (number * 7) % 12 / 2,
        "annual_trade": 60_000 + number * 37_000,
        "annual_sales": 900_000 + number * 110_000,
        "employees": 2 + number % 9,
        "has_overdue": "yes" if number % 11 == 10 else "no",
    }


def _receivable(number: int) -> dict[str, Any]:
    return {
        "member": _code(number),
        "document_kind": "receivable" if number % 2 else "order",
        "document_number": f"JB-{number + 1:03d}",
        "document_amount": 180_000 + number * 5_000,
        "issued_on": (business_date() - timedelta(days=40)).isoformat(),
        "due_on": (business_date() + timedelta(days=60)).isoformat(),
    }
