"""Size class of a firm by the standard of 2011: micro, small, medium or large.

Source: 工信部联企业〔2011〕300号. A firm is not large when either metric is under its upper bound; medium and small
need both metrics; a firm is micro when either is under the small bound. Metrics are the number of employees, and
sales of a year and total assets in units of 10,000 yuan.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

TEN_THOUSAND = 10_000


class SizeClass(StrEnum):
    MICRO = "micro"
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class Metric(StrEnum):
    EMPLOYEES = "employees"
    SALES = "sales"
    ASSETS = "assets"


@dataclass(frozen=True, slots=True)
class Bounds:
    """From which value of a metric on a firm is no longer micro, is medium, is large."""

    metric: Metric
    large: int
    medium: int
    small: int


@dataclass(frozen=True, slots=True)
class Sector:
    """An industry of the standard; `words` are what its name holds in the national classification of industries."""

    name: str
    bounds: tuple[Bounds, ...]
    words: tuple[str, ...] = ()


def _sector(name: str, *bounds: Bounds, words: str = "") -> Sector:
    return Sector(name, bounds, tuple(words.split()))


def _employees(large: int, medium: int, small: int) -> Bounds:
    return Bounds(Metric.EMPLOYEES, large, medium, small)


def _sales(large: int, medium: int, small: int) -> Bounds:
    return Bounds(Metric.SALES, large, medium, small)


def _assets(large: int, medium: int, small: int) -> Bounds:
    return Bounds(Metric.ASSETS, large, medium, small)


OTHER = _sector("其他未列明行业", _employees(300, 100, 10))
#: A trade comes before what it trades in: 软件批发 is wholesale. The standard's own order does not matter.
SECTORS = (
    _sector("批发业", _employees(200, 20, 5), _sales(40_000, 5_000, 1_000), words="批发 wholesale"),
    _sector("零售业", _employees(300, 50, 10), _sales(20_000, 500, 100), words="零售 商店 超市 retail"),
    _sector("租赁和商务服务业", _employees(300, 100, 10), _assets(120_000, 8_000, 100), words="租赁 商务服务 leasing"),
    _sector("物业管理", _employees(1_000, 300, 100), _sales(5_000, 1_000, 500), words="物业"),
    _sector("房地产开发经营", _sales(200_000, 1_000, 100), _assets(10_000, 5_000, 2_000), words="房地产"),
    _sector("仓储业", _employees(200, 100, 20), _sales(30_000, 1_000, 100), words="仓储 warehousing"),
    _sector("邮政业", _employees(1_000, 300, 20), _sales(30_000, 2_000, 100), words="邮政 快递"),
    _sector("交通运输业", _employees(1_000, 300, 20), _sales(30_000, 3_000, 200), words="运输 货运 客运 transport"),
    _sector("住宿业", _employees(300, 100, 10), _sales(10_000, 2_000, 100), words="住宿 酒店 旅馆 hotel"),
    _sector("餐饮业", _employees(300, 100, 10), _sales(10_000, 2_000, 100), words="餐饮 catering"),
    _sector("软件和信息技术服务业", _employees(300, 100, 10), _sales(10_000, 1_000, 50), words="软件 信息技术"),
    _sector("信息传输业", _employees(2_000, 100, 10), _sales(100_000, 1_000, 100), words="信息传输 电信 互联网"),
    _sector("建筑业", _sales(80_000, 6_000, 300), _assets(80_000, 5_000, 300), words="建筑 装饰装修 construction"),
    _sector(
        "工业", _employees(1_000, 300, 20), _sales(40_000, 2_000, 300),
        words="制造 制品 加工 采矿 采选 开采 冶炼 纺织 印刷 电力 热力 燃气 水的生产 工业 manufactur metal_products",
    ),
    _sector("农、林、牧、渔业", _sales(20_000, 500, 50), words="农 林业 牧业 渔业 种植 养殖 畜牧 farming"),
)  # fmt: skip


def sector_of(industry: str) -> Sector:
    """The sector of the standard that an industry's name speaks of; "other" where it speaks of none."""
    name = industry.lower()
    return next((sector for sector in SECTORS if any(word in name for word in sector.words)), OTHER)


def size_class(
    industry: str, *, employees: int | None, sales: Decimal | None, assets: Decimal | None = None
) -> SizeClass | None:
    """The class of a firm with these figures, sales and assets in yuan; None where a figure needed is not known."""
    known = {
        Metric.EMPLOYEES: None if employees is None else Decimal(employees),
        Metric.SALES: None if sales is None else sales / TEN_THOUSAND,
        Metric.ASSETS: None if assets is None else assets / TEN_THOUSAND,
    }
    bounds = sector_of(industry).bounds
    values = [(known[bound.metric], bound) for bound in bounds]
    if any(value is not None and value < bound.small for value, bound in values):
        return SizeClass.MICRO
    figures = [(value, bound) for value, bound in values if value is not None]
    if len(figures) < len(bounds):
        return None
    if all(value >= bound.large for value, bound in figures):
        return SizeClass.LARGE
    return SizeClass.MEDIUM if all(value >= bound.medium for value, bound in figures) else SizeClass.SMALL
