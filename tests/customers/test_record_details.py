"""Flows, meters, devices and notices: told one by one, rolled up into months; and files with a column per metric."""

from __future__ import annotations

import io
import itertools
import random
from datetime import date, time, timedelta
from decimal import Decimal

import pytest

from branch.domain.refusals import InvalidInput, PermissionRefused
from branch.models import Event
from branch.queries.visibility import visible
from customers.models import ExternalRecord, FirmCode, ImportFinding, Metric, RecordDetail, RecordImport, RecordSource
from customers.services import imports, metrics
from tests.customers.making import make_customer


class Sent(io.BytesIO):
    name = "rows.csv"


@pytest.fixture
def customer(cast, actor):
    source = RecordSource.objects.create(office=cast.offices.HO, code="bank", name="某银行")
    made = make_customer(actor("lin"))
    FirmCode.objects.create(source=source, code="E1", customer=made)
    return made


@pytest.fixture
def send(actor, customer):
    """Send a file and have it taken in at once; the finished import."""

    def send(layout, head, *lines, who="he"):
        content = "\n".join((head, *lines)) + "\n"
        source = RecordSource.objects.get(code="bank")
        started = imports.receive_import(
            actor=actor(who), source_id=source.pk, layout=layout, file=Sent(content.encode()), start=True
        )
        imports.run_import(started.pk)
        return RecordImport.objects.get(pk=started.pk)

    return send


def months():
    rows = ExternalRecord.objects.filter(superseded_at=None).order_by("metric_id", "period_month")
    return {(row.metric_id, f"{row.period_month:%Y-%m}"): row.value for row in rows}


def findings(done):
    rows = ImportFinding.objects.filter(record_import=done).order_by("line", "code")
    return [(row.line, row.field, row.weight, row.code) for row in rows]


FLOWS = "企业代号,账号,交易日期,流水号,收入,支出,对方户名,摘要"


def test_flows_are_kept_with_their_counterparty_and_make_the_month(send, customer):
    done = send(
        "account_flows",
        FLOWS,
        'E1,6222020200012345678,2026-01-05,F1,"1,000.00",0.00,海曙机电,货款',
        "E1,6222020200012345678,2026-01-09 14:20:05,F2,0.00,250.5,国网,电费",
        "E1,6222020200012345678,2026-02-01,F3,500,,海曙机电,货款",
        "E1,6222020200012345678,2026-02-02,F4,,,海曙机电,空行",
        "E1,6222020200012345678,2026-02-02,F5,abc,,海曙机电,货款",
        "E9,1,2026-02-02,F6,1,,x,y",
    )

    assert done.counts == {"rows": 6, "accepted": 3, "rejected": 3, "months": 3}
    assert findings(done) == [
        (5, "signed_amount", "rejected", "not_an_amount"),
        (6, "value", "rejected", "not_a_figure"),
        (7, "firm", "rejected", "unknown_firm"),
    ]
    raw = str(list(ImportFinding.objects.values_list("raw", flat=True)))
    assert "5678" in raw
    assert "62220202" not in raw
    assert months() == {
        ("account_inflow", "2026-01"): 1000,
        ("account_inflow", "2026-02"): 500,
        ("account_outflow", "2026-01"): Decimal("250.5"),
    }
    second = RecordDetail.objects.get(reference="F2")
    assert (second.item, second.counterparty, second.text) == ("5678", "国网", "电费")
    assert (second.occurred_on, second.occurred_at, second.line) == (date(2026, 1, 9), time(14, 20, 5), 3)
    assert {row.record_import_id for row in ExternalRecord.objects.all()} == {done.pk}


def test_a_column_nobody_asked_for_stands_in_no_finding(send):
    done = send("account_flows", FLOWS + ",身份证号", "E9,1,2026-01-05,F1,1,,海曙,货款,330212198001010016")
    assert findings(done) == [(2, "firm", "rejected", "unknown_firm")]
    assert "330212" not in str(ImportFinding.objects.get().raw)


def test_a_flow_sent_again_changes_nothing_and_a_corrected_one_replaces(send):
    send("account_flows", FLOWS, "E1,1234,2026-01-05,F1,1000,,海曙,货款", "E1,1234,2026-01-06,F2,10,,海曙,货款")
    same = send("account_flows", FLOWS, "E1,1234,2026-01-05,F1,1000,,海曙,货款")
    other = send("account_flows", FLOWS, "E1,1234,2026-01-05,F1,900,,海曙,货款")

    assert (same.counts, other.counts) == ({"rows": 1, "unchanged": 1}, {"rows": 1, "replaced": 1, "months": 1})
    assert months() == {("account_inflow", "2026-01"): 910}
    assert [row.value for row in RecordDetail.objects.exclude(superseded_at=None)] == [1000]
    assert [row.value for row in ExternalRecord.objects.exclude(superseded_at=None)] == [1010]


def test_flows_without_a_number_are_told_apart_by_what_they_say(send):
    head = "企业代号,交易日期,交易金额,对方户名"
    done = send(
        "account_flows", head,
        "E1,2026-01-05,100,海曙", "E1,2026-01-05,100,江东", "E1,2026-01-05,-40,江东", "E1,2026-01-05,100,海曙",
    )  # fmt: skip
    assert done.counts == {"rows": 4, "accepted": 3, "overtaken": 1, "months": 2}
    assert findings(done) == [(2, "value", "noted", "identical")]
    assert months() == {("account_inflow", "2026-01"): 200, ("account_outflow", "2026-01"): 40}


def test_meters_of_one_firm_add_up(send):
    head = "企业代号,户号,指标,月份,用电量"
    done = send(
        "meters", head, "E1,M1,电量,2026-01,1000.5", "E1,M2,电,2026年1月,200", "E1,W1,水,2026-01-31,30",
        "E1,,电,2026-01,1",         "E1,M3,蒸汽,2026-01,5",
    )  # fmt: skip
    assert done.counts == {"rows": 5, "accepted": 3, "rejected": 2, "months": 2}
    assert [row[1:] for row in findings(done)] == [
        ("item", "rejected", "missing"),
        ("metric", "rejected", "unknown_metric"),
    ]
    assert months() == {("electricity_kwh", "2026-01"): Decimal("1200.5"), ("water_m3", "2026-01"): 30}

    send("meters", head, "E1,M2,电量,2026-01,300")
    assert months()["electricity_kwh", "2026-01"] == Decimal("1300.5")


METERS = "企业代号,户号,指标,抄表日期,本期示数,倍率"


def test_a_meter_that_tells_where_it_stands_is_turned_into_use(send):
    done = send(
        "meters", METERS,
        "E1,M1,电,2025-12-01,10000,", "E1,M1,电,2026-01-01,10300.5,", "E1,M1,电,2026-01-20,10400.5,",
        "E1,M1,电,2026-02-01,10500.5,", "E1,M1,电,2026-02-15,10700.5,",
        # Through transformers of 1:40; and a second meter of the firm, not read in January.
        "E1,M2,电,2025-12-31,100,40", "E1,M2,电,2026-02-28,110,40",
        "E1,W1,水,2026-01-31,7,",
    )  # fmt: skip

    assert done.counts == {"rows": 8, "accepted": 8, "months": 3}
    assert months() == {
        ("electricity_kwh", "2025-12"): Decimal("300.5"),
        ("electricity_kwh", "2026-01"): 200,  # read on 1 February, which closes January
        ("electricity_kwh", "2026-02"): 600,  # 200, and 40 times 10
    }


def test_a_reading_that_comes_late_or_is_corrected_changes_the_months_on_both_sides(send):
    send("meters", METERS, "E1,M1,电,2025-11-30,1000,", "E1,M1,电,2026-01-31,1900,")
    assert months() == {("electricity_kwh", "2026-01"): 900}

    late = send("meters", METERS, "E1,M1,电,2025-12-31,1400,")
    assert late.counts == {"rows": 1, "accepted": 1, "months": 2}
    assert months() == {("electricity_kwh", "2025-12"): 400, ("electricity_kwh", "2026-01"): 500}

    corrected = send("meters", METERS, "E1,M1,电,2025-12-31,1500,")
    assert corrected.counts == {"rows": 1, "replaced": 1, "months": 2}
    assert months() == {("electricity_kwh", "2025-12"): 500, ("electricity_kwh", "2026-01"): 400}
    assert send("meters", METERS, "E1,M1,电,2025-12-31,1500,").counts == {"rows": 1, "unchanged": 1}


def test_a_meter_below_its_former_reading_is_flagged_and_counts_nothing(send):
    send("meters", METERS, "E1,M1,电,2025-10-31,500,", "E1,M1,电,2025-11-30,900,", "E1,M1,电,2025-12-31,1000,")
    assert months() == {("electricity_kwh", "2025-11"): 400, ("electricity_kwh", "2025-12"): 100}

    # The first reading turns out to have been far higher: of January nothing is known any more.
    fallen = send("meters", METERS, "E1,M1,电,2025-10-31,99500,", "E1,M1,电,2026-01-31,20,", "E1,M1,电,2026-02-28,80,")
    assert fallen.counts == {"rows": 3, "accepted": 2, "replaced": 1, "counter_fell": 2, "months": 2}
    assert findings(fallen) == [(line, "counter", "flagged", "counter_fell") for line in (2, 3)]
    assert months() == {("electricity_kwh", "2025-12"): 100, ("electricity_kwh", "2026-02"): 60}
    assert ExternalRecord.objects.filter(period_month="2025-11-01").exclude(superseded_at=None).count() == 1


def test_meters_told_by_month_or_with_their_use(send):
    head = "企业代号,户号,指标,月份,用电量,示数,倍率"
    done = send(
        "meters", head, "E1,M1,电,2026-01,,100,", "E1,M1,电,2026-02,,150,", "E1,M2,电,2026-02,70,9999,",
        "E1,M3,电,2026-02,,,", "E1,M4,电,2026-02,,5,0", "E1,M5,电,2026-02,,1e90000,1e90000", "E1,M6,电,2026-02,,x,2",
    )  # fmt: skip
    assert done.counts == {"rows": 7, "accepted": 3, "rejected": 4, "months": 1}
    assert [(line, field, code) for line, field, _, code in findings(done)] == [
        (5, "value", "missing"),
        (6, "multiplier", "not_a_number"),
        (7, "value", "not_a_figure"),
        (8, "value", "not_a_figure"),
    ]
    assert months() == {("electricity_kwh", "2026-02"): 120}
    assert list(RecordDetail.objects.order_by("line").values_list("occurred_on", "is_counter")) == [
        (date(2026, 1, 31), True),
        (date(2026, 2, 28), True),
        (date(2026, 2, 1), False),
    ]

    # Use instead of the reading of a day: it replaces, and is no former reading of what comes after.
    send("meters", METERS.replace("本期示数", "用电量"), "E1,M1,电,2026-01-31,33,", "E1,M1,电,2026-02-27,44,")
    assert months() == {("electricity_kwh", "2026-01"): 33, ("electricity_kwh", "2026-02"): 114}


def test_use_of_a_month_and_the_reading_of_its_first_day_are_two_things(send):
    send("meters", METERS, "E1,M1,电,2025-12-01,100,", "E1,M1,电,2026-01-01,150,")
    send("meters", METERS.replace("本期示数", "用电量").replace("抄表日期", "月份"), "E1,M1,电,2026-01,70,")
    assert months() == {("electricity_kwh", "2025-12"): 50, ("electricity_kwh", "2026-01"): 70}
    assert not RecordDetail.objects.exclude(superseded_at=None).exists()


def test_meters_agree_with_readings_counted_by_hand(send):
    """Three meters in any order, some readings corrected: the months are the differences in the order of time."""
    chance = random.Random(7)
    stands: dict[tuple[str, date], Decimal] = {}
    lines = []
    for meter in ("M1", "M2", "M3"):
        stand = Decimal(chance.randrange(1000))
        for day in sorted(chance.sample(range(400), 40)):
            stand = max(Decimal(0), stand + Decimal(chance.randrange(-300, 3000)) / 10)
            lines.append((meter, date(2025, 1, 1) + timedelta(days=day), stand))
    lines += [(meter, day, stand + 5) for meter, day, stand in chance.sample(lines, 20)]
    chance.shuffle(lines)
    for start in range(0, len(lines), 35):
        part = lines[start : start + 35]
        stands |= {(meter, day): stand for meter, day, stand in part}
        send("meters", METERS, *(f"E1,{meter},电,{day},{stand}," for meter, day, stand in part))

    used: dict[tuple[str, str], Decimal] = {}
    for meter in ("M1", "M2", "M3"):
        own = sorted((on, stood) for (name, on), stood in stands.items() if name == meter)
        for (_, before), (on, stood) in itertools.pairwise(own):
            if stood >= before:
                month = "electricity_kwh", f"{on - timedelta(days=1):%Y-%m}"
                used[month] = used.get(month, Decimal(0)) + stood - before
    assert months() == used


def test_a_time_told_with_its_zone_is_put_on_the_banks_clock(send):
    head = "企业代号,设备号,上报时间,液位,运行小时,纬度,经度"
    done = send(
        "telemetry", head, "E1,D1,2026-01-31T16:00:00Z,80,,,", "E1,D1,2026-01-31T23:30:00.250+08:00,60,,,",
        "E1,D1,2026-02-01 02:00:00+0900,40,,,", "E1,D1,2026-01-31T10:00:00-25:00,40,,,",
    )  # fmt: skip
    told = RecordDetail.objects.filter(metric_id="collateral_level").order_by("line")
    assert [(row.occurred_on, row.occurred_at) for row in told][:3] == [
        (date(2026, 2, 1), time(0)),
        (date(2026, 1, 31), time(23, 30, 0, 250000)),
        (date(2026, 2, 1), time(1)),
    ]
    assert months()["collateral_level", "2026-01"] != months()["collateral_level", "2026-02"]
    assert done.counts["rows"] == 4


def test_a_time_no_clock_of_ours_can_bear_costs_its_row_and_not_the_file(send):
    done = send(
        "meters", METERS,
        "E1,M1,电,0001-01-01,1,", "E1,M1,电,0001-01,1,", "E1,M1,电,0001-01-01T23:00:00+15:59,1,",
        "E1,M1,电,294276-12-31T23:59:59Z,1,", "E1,M1,电,9999-12-31T23:59:00-12:00,1,",
        # The last reading of January comes last; what is no time of day is none, and the same each time it is sent.
        "E1,M1,电,2026-01-31 24:00,170,", "E1,M1,电,2026-01-31 08:00,100,", "E1,M2,电,2026-01-31 now,5,",
    )  # fmt: skip
    assert done.counts == {"rows": 8, "accepted": 3, "rejected": 5, "months": 1}
    assert {row[3] for row in findings(done)} == {"not_a_date"}
    assert list(RecordDetail.objects.order_by("line").values_list("occurred_at", flat=True)) == [
        time(23, 59, 59, 999999), time(8), None
    ]  # fmt: skip
    assert months() == {("electricity_kwh", "2026-01"): 70}


def test_meters_beyond_the_largest_figure_together_stop_there(send):
    most = Decimal("99999999999999.999")
    done = send("meters", METERS.replace("本期示数", "用电量"), *(f"E1,M{n},电,2026-01-31,{most}," for n in range(12)))
    assert done.counts == {"rows": 12, "accepted": 12, "months": 1}
    assert months() == {("electricity_kwh", "2026-01"): most}


def test_devices_tell_of_their_place_and_hours(send):
    head = "企业代号,设备号,上报时间,液位,运行小时,纬度,经度"
    done = send(
        "telemetry", head,
        "E1,D1,2026-01-05T08:00:00,80,1200,29.8683,121.544", "E1,D1,2026-01-05T20:00:00,60,1210,,",
        "E1,D2,2026-01-06 08:00,40,15,,", "E1,D1,2026-01-07 08:00,1,1,129,1", "E1,D1,2026-01-08 08:00,1,1,29,",
    )  # fmt: skip
    assert done.counts == {"rows": 5, "accepted": 9, "rejected": 2, "months": 3}
    assert {row[1:] for row in findings(done)} == {("latitude", "rejected", "not_a_place")}
    assert months() == {
        ("collateral_level", "2026-01"): 55,  # the mean of 70 and 40
        ("running_hours", "2026-01"): 1225,  # what each counter stood at
        ("heartbeats", "2026-01"): 3,
    }
    first = RecordDetail.objects.get(metric_id="heartbeats", occurred_at=time(8), item="D1")
    assert (first.latitude, first.longitude) == (Decimal("29.868300"), Decimal("121.544000"))


def test_notices_are_counted_and_keep_what_they_say(send):
    head = "企业代号,类型,日期,案号,标的额,事由"
    done = send(
        "notices", head, "E1,涉诉,2026-01-05,(2026)浙0212民初1号,300000,买卖合同纠纷",
        "E1,诉讼,2026-01-20,(2026)浙0212民初2号,,欠薪",
        "E1,工商变更,2026-02-01,,,法定代表人由甲变更为乙", "E1,工商变更,2026-02-01,,,地址变更",
    )  # fmt: skip
    assert done.counts == {"rows": 4, "accepted": 4, "months": 2}
    assert months() == {("lawsuits", "2026-01"): 2, ("registry_changes", "2026-02"): 2}
    assert RecordDetail.objects.get(text="买卖合同纠纷").value == 300000


def test_a_file_with_a_column_for_each_metric(send):
    head = "企业代号,所属期,申报销售额,实缴税额,参保人数,备注"
    done = send(
        "months", head, "E1,2026-01,500000,-200.5,12,x", "E1,2026-02,510000,,12.5,x", "E1,2026-13,1,1,1,x",
    )  # fmt: skip
    assert done.counts == {"rows": 3, "accepted": 4, "rejected": 2}
    assert findings(done) == [
        (3, "headcount", "rejected", "not_a_figure"),
        (4, "period_month", "rejected", "not_a_month"),
    ]
    assert months() == {
        ("headcount", "2026-01"): 12,
        ("tax_declared", "2026-01"): 500000,
        ("tax_declared", "2026-02"): 510000,
        ("tax_paid", "2026-01"): Decimal("-200.5"),
    }


def test_a_metric_of_the_banks_own_has_its_column_and_its_bounds(send, actor):
    metrics.create_metric(
        actor=actor("zhou"), code="cold_store", own_name="冷库温度", unit="°C", places=1, least=Decimal(-40),
        most=Decimal(10), roll_up="mean", words=["冷库温度"],
    )  # fmt: skip
    done = send("months", "企业代号,月份,冷库温度", "E1,2026-01,-18.5", "E1,2026-02,20", "E1,2026-03,-18.55")

    assert done.counts == {"rows": 3, "accepted": 1, "rejected": 2}
    assert months() == {("cold_store", "2026-01"): Decimal("-18.5")}
    assert Event.objects.filter(name="metric.create").count() == 1


def test_who_keeps_the_registry_and_what_it_refuses(actor, cast):
    water = Metric.objects.get(code="water_m3")
    with pytest.raises(PermissionRefused):
        metrics.update_metric(actor=actor("sun"), metric_id=water.pk, words=["水"])
    values = {"places": 2, "least": None, "most": None, "roll_up": "sum"}
    for code, words in (("water_m3", []), ("Water", []), ("steam", ["用水量"])):
        with pytest.raises(InvalidInput):
            metrics.create_metric(actor=actor("zhou"), code=code, own_name="x", words=words, **values)
    changed = metrics.update_metric(
        actor=actor("zhou"), metric_id=water.pk, words=["水", " 自来水 "], expected_version=1
    )
    assert (changed.words, changed.version) == (["水", "自来水"], 2)


def test_details_are_for_who_sees_the_customer(send, actor):
    send("account_flows", FLOWS, "E1,1234,2026-01-05,F1,1000,,海曙,货款")
    assert [visible(RecordDetail, actor(name)).count() for name in ("lin", "sun", "outsider", "wu")] == [1, 1, 0, 0]
