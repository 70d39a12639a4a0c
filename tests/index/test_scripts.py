"""Words of every script are found as people of that script type them."""

from __future__ import annotations

import os
import sys

import pytest

from gitmem.index.filters import Filters
from gitmem.index.index import Index
from gitmem.memory.ids import new_id
from gitmem.memory.memory import Memory
from machine import Machine

MEMORIES = {
    "zh-auth": "用户认证系统使用令牌，过期时间为三十分钟。",
    "zh-db": "数据库迁移花了十一分钟，期间表被锁定。",
    "zh-deploy": "部署失败是因为证书过期了，需要提前一周更新。",
    "zh-mixed": "Python的认证模块依赖Redis缓存。",
    "zh-hant": "資料庫的備份放在另一個地區。",
    "zh-name": "王小明负责支付接口，李华负责测试。",
    "zh-rare": "𠮷野家的发票编号是特殊的。",
    "ja-db": "データベースの設定を変更した。接続数は二百まで。",
    "ja-meet": "東京で会議がありました。議事録は共有フォルダにある。",
    "ja-half": "ﾃﾞｰﾀの確認はｻｰﾊﾞｰで行う。",
    "ja-hira": "おにぎりはみせのひとがくれた。",
    "ja-mixed": "React のコンポーネントを分割して、テストを書いた。",
    "ja-login": "ログイン画面のエラーメッセージを直した。",
    "ko-auth": "사용자 인증은 토큰을 사용한다. 만료는 삼십 분이다.",
    "ko-deploy": "배포가 실패해서 서버를 다시 시작했다.",
    "ko-meet": "회의에서 데이터베이스를 옮기기로 결정했습니다.",
    "ko-mixed": "GitHub에서 릴리스를 만들 때 태그가 필요하다.",
    "th": "ระบบยืนยันตัวตนใช้โทเค็น และหมดอายุในสามสิบนาที",
    "th-2": "ฐานข้อมูลถูกย้ายไปยังเซิร์ฟเวอร์ใหม่",
    "ar": "نظام المصادقة يستخدم الرموز المميزة",
    "ar-mark": "قَاعِدَةُ البَيَانَاتِ الجديدة أسرع",
    "he": "מערכת האימות משתמשת באסימונים",
    "hi": "प्रमाणीकरण प्रणाली टोकन का उपयोग करती है",
    "hi-2": "हिन्दी में लिखा गया डेटाबेस नोट",
    "ru": "Пользователь сменил пароль после утечки.",
    "el": "Η βάση δεδομένων μεταφέρθηκε χθες.",
    "tr": "İstanbul ofisindeki yazıcı çalışmıyor.",
    "de": "Die Straße zum Lager ist gesperrt, Größe und Gewicht prüfen.",
    "fr": "Le café près de la gare a fermé, élève absent.",
    "vi": "Cơ sở dữ liệu đã được chuyển sang máy chủ mới.",
    "pl": "Łódź i Kraków mają nowe łącza.",
    "emoji": "Launch went well 🎉 and the team got 🍕.",
    "emoji-zwj": "The family account 👩‍👩‍👧 has three seats.",
    "full": "ＡＰＩキーはＥＮＶに置く。",
    "en": "The weather was fine.",
}


@pytest.fixture(scope="module")
def names():
    """A function from a query to the names of the memories that it finds."""
    index = Index.open("/dev/null/none", bytes(32), "v")  # in memory
    ids = {new_id(1_777_000_000_000 + number): name for number, name in enumerate(MEMORIES)}
    created = "2026-05-01T00:00:00Z"
    index.apply("c", [], (Memory(id=one, created=created, body=MEMORIES[ids[one]]) for one in ids))
    return lambda query: [ids[hit.id] for hit in index.search(query, Filters(), 40)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        # Chinese: words of two characters and more, one character, names, mixed with Latin words
        ("认证", {"zh-auth", "zh-mixed"}),
        ("令牌", {"zh-auth"}),
        ("数据库", {"zh-db"}),
        ("资料", set()),  # simplified; the text has 資料
        ("資料庫", {"zh-hant"}),
        ("王小明", {"zh-name"}),
        ("李华", {"zh-name"}),
        ("牌", {"zh-auth"}),
        ("Python认证", {"zh-mixed", "zh-auth"}),
        ("认证 Redis", {"zh-mixed", "zh-auth"}),
        ("𠮷野", {"zh-rare"}),
        # Japanese: kanji, katakana, hiragana, half width, mixed
        ("会議", {"ja-meet"}),
        ("設定", {"ja-db"}),
        ("データベース", {"ja-db", "ja-half"}),  # shares データ with the other
        ("ﾃﾞｰﾀﾍﾞｰｽ", {"ja-db", "ja-half"}),
        ("サーバー", {"ja-half"}),
        ("データ", {"ja-half", "ja-db"}),
        ("おにぎり", {"ja-hira"}),
        ("コンポーネント", {"ja-mixed"}),
        ("Reactのテスト", {"ja-mixed"}),
        ("ログイン", {"ja-login"}),
        ("議事録", {"ja-meet"}),
        # Korean: words of two syllables, with their particles and without
        ("인증", {"ko-auth"}),
        ("인증을", {"ko-auth"}),
        ("토큰", {"ko-auth"}),
        ("배포", {"ko-deploy"}),
        ("데이터베이스", {"ko-meet"}),
        ("회의", {"ko-meet"}),
        ("GitHub 릴리스", {"ko-mixed"}),
        ("서버", {"ko-deploy"}),
        # others
        ("المصادقة", {"ar"}),
        ("האימות", {"he"}),
        ("प्रमाणीकरण", {"hi"}),
        ("हिन्दी", {"hi-2"}),
        ("пароль", {"ru"}),
        ("ПАРОЛЬ", {"ru"}),
        ("βάση", {"el"}),
        ("ΒΑΣΗ", {"el"}),
        ("istanbul", {"tr"}),
        ("STRASSE Größe", {"de"}),
        ("cafe", {"fr"}),
        ("ELEVE", {"fr"}),
        ("dữ liệu", {"vi"}),
        ("du lieu", {"vi"}),
        ("Łódź", {"pl"}),
        ("API", {"full"}),
        ("ＡＰＩ", {"full"}),
    ],
)
def test_a_word_finds_the_memories_that_hold_it_and_no_other(names, query, expected):
    assert set(names(query)) == expected


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("认证系统", "zh-auth"),
        ("证书什么时候过期", "zh-deploy"),
        ("数据库迁移用了多久？", "zh-db"),
        ("データベースの接続数は？", "ja-db"),
        ("どこで会議がありましたか", "ja-meet"),
        ("인증은 무엇을 사용하나요?", "ko-auth"),
        ("데이터베이스를 어떻게 하기로 했나", "ko-meet"),
        ("ยืนยันตัวตน", "th"),
        ("ฐานข้อมูล", "th-2"),
        ("قاعدة البيانات", "ar-mark"),
        ("टोकन का उपयोग", "hi"),
        ("Αρχείο της βάσης δεδομένων", "el"),
    ],
)
def test_a_question_finds_its_memory_first(names, query, first):
    assert names(query)[:1] == [first]


@pytest.mark.parametrize(
    "query", ["🎉", "👩‍👩‍👧", "‍", "️", "\u0e48", "\u0301", "〜", "。", "・", "ー", "￥", "𝔄"]
)
def test_a_sign_that_is_no_word_is_an_answer_too(names, query):
    assert set(names(query)) <= set(MEMORIES)


def test_the_command_finds_words_of_two_characters(tmp_path):
    machine = Machine.new(tmp_path).init()
    chosen = ("zh-auth", "ja-meet", "ko-auth", "en")
    ids = {name: machine.write(MEMORIES[name]) for name in chosen}
    for query, name in (("认证", "zh-auth"), ("会議", "ja-meet"), ("인증", "ko-auth")):
        hits = machine.run("--json", "search", query).json["hits"]
        assert [hit["id"] for hit in hits] == [ids[name]], query
        assert ids[name][-6:] in machine.run("search", query).out
    if sys.platform != "win32":  # an argument that is no text in the terminal's encoding
        assert machine.run("search", os.fsdecode(b"\xff\xfe"), code=None).code in (0, 1, 14)
