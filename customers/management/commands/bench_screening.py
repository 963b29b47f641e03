"""How long comparing a whole book with the watchlists takes, whole and on an ordinary night. Leaves nothing behind."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Iterator
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection, transaction

from branch.models import BusinessDay, Office, User
from customers.domain.names import keys_of, name_key, spelling
from customers.domain.screening import PIECES_FROM
from customers.models import Customer, RecordImport, RecordSource, ScreeningHit, ScreeningRun, Watchlist
from customers.services import screening_runs

PLACES = ("宁波", "余姚", "慈溪", "象山", "杭州", "温州", "绍兴", "台州", "嘉兴", "金华", "苏州", "无锡", "上海")
MARKS = (
    "鑫达宏盛华瑞恒泰永丰金源东方兴旺嘉禾博远天佑海纳明辉利民万通康顺德亿祥隆安信诚美佳新越科创联众光大正和中铭凯腾"
    "飞龙骏驰锦程云帆启航融汇聚贤益友善邦国强富春江南北山川林木石玉珠宝晶银铜铁钢力量智慧星辰日月长青翠竹松柏梅兰菊"
    "荷莲蓝天白云红旗绿洲紫金橙黄鼎立宇宙环球世纪时代先锋卓越优品精工巨匠良才雅致尚品名门望族"
)
TRADES = ("五金制品", "机械设备", "电子科技", "塑料制品", "服饰", "食品贸易", "建材", "物流运输", "模具制造", "纺织品")

FORMS = ["有限公司", "有限公司", "有限公司", "有限责任公司", "厂", "商行", "经营部"]
FAMILIES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN = (
    "伟芳娜敏静秀丽强磊军洋勇艳杰娟涛明超兰霞平刚桂英华建国志海峰玲红梅文斌鹏飞宇晨欣怡子轩浩然雪琴光辉波洁凤莉萍"
    "亮东林俊辰嘉怡佳慧婷婉清雅芝翠云霄汉卿德福贵荣昌盛安康宁祥瑞义仁礼信忠孝廉正直良善美真爱莲蓉菊香玉珍珠宝琳琅"
)
#: Persons of a list and of the book whose number is known.
WITH_NUMBER = 0.9
ENTRIES = 100_000
NIGHTLY_ENTRIES, NIGHTLY_CHANGES = 500, 1_000
COLUMNS = (
    "office_id, owner_id, kind, name, name_key, name_core, name_spelling, contact_name, contact_key, contact_spelling, "
    "identity_digest, version, name_bigrams, identity_number, phone, phone_digest, address, repayment_account, industry"
)


class Command(BaseCommand):
    help = "Time a comparison of the whole book with a list of 100,000 entries, and that of an ordinary night."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--names", type=int, nargs="*", default=[100_000, 300_000, 1_000_000])
        parser.add_argument("--entries", type=int, default=ENTRIES)

    def handle(self, *args: Any, names: list[int], entries: int, **options: Any) -> None:
        with transaction.atomic():
            if not BusinessDay.objects.exists():
                BusinessDay.objects.create(date=date(2026, 3, 2))
            chance = random.Random(20260302)
            watchlist = self.make_list(chance, entries)
            made = Customer.objects.count()
            for number in sorted(names):
                self.make_customers(chance, number - made)
                made = number
                self.measure(watchlist, chance, number, entries)
            transaction.set_rollback(True)

    def measure(self, watchlist: Watchlist, chance: random.Random, number: int, entries: int) -> None:
        ScreeningHit.objects.all().delete()
        ScreeningRun.objects.update(lowest_score=0)
        whole, hits = self.run()
        self.add_entries(watchlist, chance, NIGHTLY_ENTRIES)
        changed = Customer.objects.order_by("-pk").values("pk")[:NIGHTLY_CHANGES]
        Customer.objects.filter(pk__in=changed).update(screened_at=None)
        ScreeningRun.objects.update(started_at="2036-01-01T00:00Z")
        nightly, new = self.run()
        self.stdout.write(
            f"{number:>9} names, {entries} entries: whole {whole:.1f} s ({hits} hits); "
            f"night of {NIGHTLY_ENTRIES} new entries "
            f"and {NIGHTLY_CHANGES} changed customers {nightly:.1f} s ({new} hits)"
        )

    def run(self) -> tuple[float, int]:
        run = screening_runs.start_screening()
        assert run is not None
        begun = time.perf_counter()
        screening_runs.run_screening(run.pk)
        run.refresh_from_db()
        return time.perf_counter() - begun, run.hit_count

    # --- what is compared

    def make_list(self, chance: random.Random, entries: int) -> Watchlist:
        self.office = Office.objects.create(code="BENCH", name="bench", kind="head_office", path="/0/")
        self.owner = User.objects.create(username="bench-owner", office=self.office)
        source = RecordSource.objects.create(office=self.office, code="bench-list", name="bench")
        self.sent = RecordImport.objects.create(
            office=self.office, source=source, layout="watchlist", file_name="x", storage_name="x", size_bytes=1,
            sha256="0" * 64,
        )  # fmt: skip
        watchlist = Watchlist.objects.create(
            office=self.office, code="bench", name="bench", kind="dishonest_debtor", source=source
        )
        self.lines = 0
        self.add_entries(watchlist, chance, entries)
        return watchlist

    def add_entries(self, watchlist: Watchlist, chance: random.Random, number: int) -> None:
        text = io.StringIO()
        for _turn in range(number):
            self.lines += 1
            is_person = chance.random() < 0.6
            name = person(chance) if is_person else firm(chance)
            digest = f"{chance.getrandbits(256):064x}" if is_person and chance.random() < WITH_NUMBER else ""
            row = (watchlist.pk, name, *keys_of(name), digest, self.lines, 1, self.sent.pk, self.sent.pk)
            text.write("\t".join(map(str, row)) + "\t\t\t\n")
        text.seek(0)
        with connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(max(id), 0) FROM customers_watchlistentry")
            (last,) = cursor.fetchone()
            cursor.copy_expert(
                "COPY customers_watchlistentry (watchlist_id, name, name_key, core_key, spelling, identity_digest, "
                "line_key, content, record_import_id, seen_import_id, uscc, reason, reference) FROM STDIN",
                text,
            )
            cursor.execute(
                "INSERT INTO customers_watchlistpiece (entry_id, piece, position, length) "
                "SELECT e.id, substr(e.core_key, p, 2), p, char_length(e.core_key) FROM customers_watchlistentry e, "
                "generate_series(1, char_length(e.core_key) - 1) p WHERE e.id > %s AND char_length(e.core_key) >= %s",
                [last, PIECES_FROM],
            )
            cursor.execute("ANALYZE customers_watchlistpiece, customers_watchlistentry")

    def make_customers(self, chance: random.Random, number: int) -> None:
        with connection.cursor() as cursor:
            cursor.copy_expert(
                f"COPY customers_customer ({COLUMNS}) FROM STDIN", _Lines(self._customers(chance, number))
            )
            cursor.execute("ANALYZE customers_customer")

    def _customers(self, chance: random.Random, number: int) -> Iterator[str]:
        for _turn in range(number):
            name, contact = firm(chance), person(chance)
            digest = f"{chance.getrandbits(256):064x}" if chance.random() < WITH_NUMBER else ""
            row = (
                self.office.pk, self.owner.pk, "company", name, *keys_of(name), contact, name_key(contact),
                spelling(contact), digest, 1, "{}", "", "", "", "", "", "",
            )  # fmt: skip
            yield "\t".join(map(str, row)) + "\n"


def firm(chance: random.Random) -> str:
    mark = "".join(chance.choice(MARKS) for _place in range(chance.choice((2, 2, 2, 3, 4))))
    return chance.choice(PLACES) + mark + chance.choice(TRADES) + chance.choice(FORMS)


def person(chance: random.Random) -> str:
    given = "".join(chance.choice(GIVEN) for _place in range(chance.choice((1, 2, 2, 2))))
    return chance.choice(FAMILIES) + given


class _Lines:
    """What COPY reads from, a piece at a time."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines, self._rest = lines, ""

    def read(self, size: int) -> str:
        while len(self._rest) < size and (line := next(self._lines, "")):
            self._rest += line
        given, self._rest = self._rest[:size], self._rest[size:]
        return given
