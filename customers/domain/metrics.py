"""What is known of outside figures before a bank adds its own: the metrics that ship, and how details become months."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

#: A figure of a month has at most this many places, and stays below the largest.
PLACES = 3
LARGEST_VALUE = Decimal(10) ** 14
#: Codes become column names of staged files.
CODE = re.compile(r"[a-z][a-z0-9_]{0,29}", re.ASCII)


class RollUp(StrEnum):
    """How the details of a month become its figure: added up, the last, the largest, the mean, or how many.

    Of each meter or device by itself; those of one customer add up, but for the mean.
    """

    SUM = "sum"
    LAST = "last"
    MOST = "most"
    MEAN = "mean"
    COUNT = "count"


@dataclass(frozen=True)
class ShippedMetric:
    """`words` are what files call it, in the form `layouts.fold` gives; `unit` is as it is printed."""

    code: str
    unit: str
    words: tuple[str, ...]
    places: int = PLACES
    least: Decimal | None = Decimal(0)
    roll_up: RollUp = RollUp.SUM


def _whole(code: str, unit: str, words: tuple[str, ...], roll_up: RollUp) -> ShippedMetric:
    return ShippedMetric(code, unit, words, places=0, roll_up=roll_up)


SHIPPED = (
    ShippedMetric("electricity_kwh", "kWh", ("electricity", "电量", "用电量", "电")),
    ShippedMetric("water_m3", "m³", ("water", "水量", "用水量", "水")),
    ShippedMetric("gas_m3", "m³", ("gas", "燃气量", "用气量", "燃气")),
    ShippedMetric("tax_declared", "CNY", ("sales declared", "申报销售额", "纳税申报销售额")),
    # A refund is a payment with the other sign.
    ShippedMetric("tax_paid", "CNY", ("缴税", "实缴税额", "缴纳税额"), least=None),
    ShippedMetric("account_inflow", "CNY", ("inflow", "账户流入", "流入")),
    ShippedMetric("account_outflow", "CNY", ("outflow", "账户流出", "流出")),
    _whole("headcount", "", ("insured", "参保人数", "员工人数", "人数"), RollUp.LAST),
    ShippedMetric("wages", "CNY", ("工资总额", "工资")),
    ShippedMetric("chain_orders", "CNY", ("orders", "订单金额", "订单")),
    ShippedMetric("receivables", "CNY", ("应收账款", "应收")),
    _whole("shipments", "", ("发货单数", "发货", "物流单数"), RollUp.SUM),
    ShippedMetric("other_debts", "CNY", ("other lenders' debts", "他行负债", "他行贷款余额")),
    _whole("lawsuits", "", ("lawsuit", "涉诉", "诉讼"), RollUp.COUNT),
    _whole("penalties", "", ("penalty", "行政处罚", "处罚"), RollUp.COUNT),
    _whole("registry_changes", "", ("registry change", "工商变更", "登记变更"), RollUp.COUNT),
    ShippedMetric("collateral_level", "%", ("level", "液位", "库存水平"), roll_up=RollUp.MEAN),
    ShippedMetric("running_hours", "h", ("开机小时", "运行小时", "开机时长"), roll_up=RollUp.MOST),
    _whole("heartbeats", "", ("heartbeat", "心跳"), RollUp.COUNT),
)
