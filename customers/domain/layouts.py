"""What files of outside facts hold: their columns, and which heading means which column."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One value of a row. `headings` are what files call it, in the form `fold` gives."""

    name: str
    headings: tuple[str, ...]
    is_required: bool = True


@dataclass(frozen=True)
class Layout:
    """`rows_at_once`: rows taken in in one transaction, where a row is more work than a line of a table."""

    code: str
    columns: tuple[Column, ...]
    rows_at_once: int = 200_000

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.is_required)


FIRM = "firm"
_FIRM = (
    "企业代号",
    "企业代码",
    "统一社会信用代码",
    "信用代码",
    "纳税人识别号",
    "客户编号",
    "firm",
    "firm code",
    "uscc",
    "taxpayer id",
)
_NUMBER = ("发票号码", "发票号", "号码", "invoice number", "number", "invoice no")
_DATE = ("开票日期", "日期", "invoice date", "date", "issued on")
_AMOUNT = ("金额", "不含税金额", "合计金额", "amount", "net amount", "amount without tax")
_TAX = ("税额", "合计税额", "tax", "vat", "tax amount")
_TOTAL = ("价税合计", "含税金额", "total", "total amount", "gross amount", "amount with tax")
_STATUS = ("发票状态", "状态", "作废标志", "status", "state")
_BUYER = ("购方单位代号", "购方名称", "购买方名称", "购方", "购方识别号", "buyer", "customer", "counterparty", "对方")
_SELLER = ("销方单位代号", "销方名称", "销售方名称", "销方", "销方识别号", "seller", "supplier", "counterparty", "对方")


def _invoices(code: str, counterparty: tuple[str, ...]) -> Layout:
    return Layout(
        code,
        (
            Column(FIRM, _FIRM),
            Column("number", _NUMBER),
            Column("invoice_date", _DATE),
            Column("counterparty", counterparty),
            Column("amount", _AMOUNT),
            Column("tax", _TAX),
            Column("total", _TOTAL),
            Column("status", _STATUS),
        ),
    )


_METRIC = Column("metric", ("指标", "项目", "类型", "metric", "item", "kind"))
_MONTH = Column("period_month", ("月份", "期间", "所属期", "年月", "month", "period"))
_VALUE_WORDS = ("数值", "读数", "用量", "金额", "value", "reading", "usage", "amount")
_DAY_WORDS = (
    "日期",
    "交易日期",
    "交易时间",
    "时间",
    "发生日期",
    "抄表日期",
    "上报时间",
    "date",
    "time",
    "seen at",
    "read on",
)
_REFERENCE = Column(
    "reference",
    ("流水号", "交易流水号", "凭证号", "案号", "文号", "编号", "reference", "serial number"),
    is_required=False,
)
_TEXT = Column("text", ("摘要", "备注", "用途", "内容", "事由", "remark", "text", "description"), is_required=False)


def _item(words: tuple[str, ...], *, is_required: bool) -> Column:
    return Column("item", words, is_required)


_READINGS = Layout("readings", (Column(FIRM, _FIRM), _METRIC, _MONTH, Column("value", _VALUE_WORDS)))
#: A column for each metric follows: which there are stands in the registry.
_MONTHS = Layout("months", (Column(FIRM, _FIRM), _MONTH))
_ACCOUNT_FLOWS = Layout(
    "account_flows",
    (
        Column(FIRM, _FIRM),
        _item(("账号", "账户", "卡号", "本方账号", "account", "account number"), is_required=False),
        Column("occurred_on", _DAY_WORDS),
        _REFERENCE,
        Column(
            "inflow", ("收入", "贷方发生额", "贷方金额", "转入金额", "credit", "inflow", "paid in"), is_required=False
        ),
        Column(
            "outflow", ("支出", "借方发生额", "借方金额", "转出金额", "debit", "outflow", "paid out"), is_required=False
        ),
        Column("signed_amount", ("交易金额", "发生额", "金额", "amount"), is_required=False),
        Column(
            "counterparty", ("对方户名", "对方名称", "对手方", "交易对手", "对方", "counterparty"), is_required=False
        ),
        _TEXT,
    ),
)
_COUNTER_WORDS = (
    "示数",
    "本期示数",
    "本次示数",
    "本月示数",
    "表底数",
    "止码",
    "止度",
    "读数",
    "抄表读数",
    "累计读数",
    "reading",
    "meter reading",
)
#: A row tells the use, or where the counter stood.
_METERS = Layout(
    "meters",
    (
        Column(FIRM, _FIRM),
        _item(("户号", "表号", "电表号", "水表号", "用户编号", "meter"), is_required=True),
        _METRIC,
        Column("occurred_on", (*_DAY_WORDS, *_MONTH.headings)),
        Column("value", ("用电量", "用水量", "用气量", "用量", "数值", "usage", "amount"), is_required=False),
        Column("counter", _COUNTER_WORDS, is_required=False),
        Column("multiplier", ("倍率", "综合倍率", "互感倍率", "ratio"), is_required=False),
    ),
)
_TELEMETRY = Layout(
    "telemetry",
    (
        Column(FIRM, _FIRM),
        _item(("设备号", "设备编号", "设备", "device", "device id"), is_required=True),
        Column("occurred_on", _DAY_WORDS),
        Column("level", ("液位", "库存水平", "level"), is_required=False),
        Column("running_hours", ("运行小时", "开机小时", "开机时长", "running hours"), is_required=False),
        Column("latitude", ("纬度", "latitude", "lat"), is_required=False),
        Column("longitude", ("经度", "longitude", "lon", "lng"), is_required=False),
    ),
)
_NOTICES = Layout(
    "notices",
    (
        Column(FIRM, _FIRM),
        _METRIC,
        Column("occurred_on", _DAY_WORDS),
        _REFERENCE,
        Column("value", ("涉案金额", "标的额", "罚款金额", *_VALUE_WORDS), is_required=False),
        _TEXT,
    ),
)
_MEMBERS = Layout(
    "cluster_members",
    (
        Column("name", ("名称", "企业名称", "商户名称", "成员名称", "单位名称", "公司名称", "name", "firm", "company")),
        Column("uscc", ("统一社会信用代码", "信用代码", "社会信用代码", "纳税人识别号", "uscc", "taxpayer id"), False),
        Column("contact_name", ("联系人", "法定代表人", "负责人", "经营者", "contact", "contact person"), False),
        Column("phone", ("电话", "手机", "手机号", "联系电话", "联系方式", "phone", "mobile"), False),
        Column("role", ("角色", "类型", "成员类型", "合作关系", "role", "type"), False),
        Column(
            "years_with_anchor", ("合作年限", "入驻年限", "经营年限", "年限", "years", "years with the anchor"), False
        ),
        Column(
            "annual_trade", ("年交易额", "年度交易额", "年采购额", "与核心企业年交易额", "annual trade", "trade"), False
        ),
        Column("annual_sales", ("年销售额", "年营业额", "营业收入", "年销售收入", "annual sales", "sales"), False),
        Column("employees", ("员工人数", "从业人数", "人数", "employees", "staff"), False),
        Column("has_overdue", ("是否逾期", "有无逾期", "逾期", "overdue", "has overdue"), False),
        Column("left_on", ("退出日期", "离开日期", "left on", "left"), False),
    ),
)
_LEADS = Layout(
    "leads",
    (
        Column(
            "name", ("名称", "企业名称", "商户名称", "客户名称", "店名", "公司名称", "firm", "firm name", "company")
        ),
        Column(
            "contact_name", ("联系人", "姓名", "负责人", "经营者", "法定代表人", "contact", "contact person", "person")
        ),
        Column("phone", ("电话", "手机", "手机号", "联系电话", "联系方式", "mobile", "tel"), False),
        Column("uscc", ("统一社会信用代码", "信用代码", "纳税人识别号", "taxpayer id"), False),
        Column(
            "identity_number", ("身份证号", "身份证号码", "证件号码", "resident identity number", "id number"), False
        ),
        Column("district", ("片区", "区域", "街道", "商圈", "area"), False),
        Column("wanted_amount", ("意向金额", "需求金额", "贷款金额", "金额", "amount", "amount wanted"), False),
        Column("source", ("来源", "渠道", "channel"), False),
        Column("note", ("备注", "说明", "需求", "remark", "notes"), False),
    ),
    rows_at_once=200,
)
_DOCUMENTS = Layout(
    "chain_documents",
    (
        Column("member", ("成员", "成员名称", "企业名称", "供应商", "经销商", "客户名称", *_FIRM, "member", "name")),
        Column("document_kind", ("单据类型", "类型", "单据种类", "kind", "type", "document type")),
        Column("document_number", ("单据编号", "订单号", "单号", "编号", "number", "document number", "order number")),
        Column("document_amount", ("金额", "单据金额", "订单金额", "应收金额", "amount")),
        Column("open_amount", ("未结金额", "未付金额", "余额", "未回款金额", "open", "open amount", "balance"), False),
        Column("issued_on", ("单据日期", "订单日期", "开票日期", "日期", "issued on", "date")),
        Column("due_on", ("到期日", "到期日期", "应收到期日", "交货日期", "due", "due on", "due date"), False),
    ),
)
_WATCHLIST = Layout(
    "watchlist",
    (
        Column("name", ("姓名", "名称", "姓名/名称", "企业名称", "被执行人", "被执行人姓名/名称", "name", "full name")),
        Column("uscc", ("统一社会信用代码", "信用代码", "uscc", "credit code"), is_required=False),
        Column(
            "identity_number",
            ("身份证号", "身份证号码", "证件号码", "公民身份号码", "identity number", "id number"),
            is_required=False,
        ),
        Column("reference", ("案号", "编号", "文号", "reference", "case number"), is_required=False),
        Column("reason", ("原因", "事由", "列入原因", "备注", "reason", "remark"), is_required=False),
        Column("listed_on", ("列入日期", "发布日期", "发布时间", "日期", "listed on", "date"), is_required=False),
    ),
)
LAYOUTS: Mapping[str, Layout] = {
    layout.code: layout
    for layout in (
        _READINGS,
        _MONTHS,
        _ACCOUNT_FLOWS,
        _METERS,
        _TELEMETRY,
        _NOTICES,
        _MEMBERS,
        _DOCUMENTS,
        _LEADS,
        _WATCHLIST,
        _invoices("sales_invoices", _BUYER),
        _invoices("purchase_invoices", _SELLER),
    )
}
#: The name of a metric's own column.
OF_METRIC = "metric_{code}"


def with_metrics(layout: Layout, words: Mapping[str, Sequence[str]]) -> Layout:
    """The layout with a column for each metric, by its code; `words` are what files call it."""
    own = tuple(Column(OF_METRIC.format(code=code), tuple(known), is_required=False) for code, known in words.items())
    return Layout(layout.code, (*layout.columns, *own))


def fold(heading: str) -> str:
    """A heading without what doesn't tell two apart: width, case, blanks around, underscores, units in brackets."""
    text = unicodedata.normalize("NFKC", heading).strip().lower().replace("_", " ")
    return re.sub(r"\s*[(\[（].*?[)\]）]\s*$", "", re.sub(r"\s+", " ", text))


def suggest(layout: Layout, headings: Sequence[str], remembered: Mapping[str, str]) -> dict[str, str]:
    """Column → heading of the file, by what was settled for the source before, then by what columns are called."""
    by_fold = {fold(heading): heading for heading in reversed(headings) if heading.strip()}
    found: dict[str, str] = {}
    for column in layout.columns:
        names = (fold(remembered.get(column.name, "")), fold(column.name), *column.headings)
        heading = next((by_fold[name] for name in names if name in by_fold), None)
        if heading is not None and heading not in found.values():
            found[column.name] = heading
    return found


def missing(layout: Layout, mapping: Mapping[str, str], *, one_customer: bool) -> list[str]:
    """Columns that must have a heading and have none; a file of one customer needs no column that names it."""
    return [name for name in layout.required if not mapping.get(name) and not (name == FIRM and one_customer)]


def heading_row(layout: Layout, rows: Iterable[Sequence[str]]) -> int:
    """Which of the first rows (from 0) has the headings: the one most columns are found in. Titles may stand above."""
    scores = [len(suggest(layout, row, {})) for row in rows]
    return scores.index(max(scores)) if scores else 0


DELIMITERS = (",", "\t", ";", "|")


def delimiter_of(lines: Sequence[str]) -> str:
    """The mark that cuts most lines into the most pieces, an even number of them; a comma where none does."""

    def pieces(mark: str) -> int:
        counts = [line.count(mark) for line in lines if line.strip()]
        return max((common * counts.count(common) for common in set(counts)), default=0)

    return max(DELIMITERS, key=pieces)
