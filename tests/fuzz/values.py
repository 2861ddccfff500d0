"""Values that nobody types on purpose: more than 500, each as it comes over the wire, always the same and in the same order."""

# ruff: noqa: E501
import random
from urllib.parse import quote

SCRIPTS = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>", "<svg><script>alert(1)</script></svg>",
    "\"><script>alert(1)</script>", "'><img src=x onerror=alert(1)>", "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>", "</option></select><img src=x onerror=alert(1)>", "--><script>alert(1)</script>",
    "\" onmouseover=alert(1) x=\"", "' onfocus=alert(1) autofocus x='", "\" autofocus onfocus=alert(1) \"",
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "data:text/html,<script>alert(1)</script>",
    "<a href=javascript:alert(1)>a</a>", "<iframe srcdoc='<script>alert(1)</script>'>", "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>", "<form action=javascript:alert(1)><button>a</button></form>", "<base href=//evil.example/>",
    "<link rel=stylesheet href=//evil.example/x.css>", "<meta http-equiv=refresh content='0;url=//evil.example/'>",
    "<style>@import'//evil.example/x.css';</style>", "<div style=background:url(//evil.example/)>", "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>", "<video><source onerror=alert(1)></video>", "<math><mi xlink:href=javascript:alert(1)>",
    "<input autofocus onfocus=alert(1)>", "<marquee onstart=alert(1)>", "<div hx-get=//evil.example/ hx-trigger=load>",
    "<div hx-on:load=alert(1)>", "<template><script>alert(1)</script></template>", "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "&lt;script&gt;alert(1)&lt;/script&gt;", "&#60;script&#62;alert(1)", "\\u003cscript\\u003ealert(1)", "<<script>alert(1)//<</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>", "<img src=`x` onerror=alert(1)>", "<!--<script>alert(1)</script>",
]  # fmt: skip
PLAIN = [
    "", " ", "   ", "\t", "\n", "\r\n", "\r", "a", "å", "a\u030a", "Å", "A\u030a", "ß", "ﬀ", "İ", "ı", "ǆ", "😀", "👩‍👩‍👧‍👦", "🏳️‍🌈", "\u200b",
    "\u00a0", "\ufeff", "\u3000", "\u2028", "\u2029", "\u00ad", "\ue000", "\U000e0041", "\U0010fffd", "\ufffe", "\uffff", "٣", "１２", "१२३", "²", "Ⅻ", "½",
    "Z" + "\u0315\u0321\u0489" * 40, "\u0301" * 200, "مرحبا", "שלום", "漢字", "Ω≈ç√", "ⓢⓒⓡⓘⓟⓣ",
    "' OR 1=1--", "'; DROP TABLE people_user;--", "\" OR \"\"=\"", "') OR ('1'='1", "1;SELECT pg_sleep(9)", "%' AND 1=0 UNION SELECT 1--", "\\'", "\\",
    "{{7*7}}", "{% load x %}", "{%", "${7*7}", "#{7*7}", "<%= 7*7 %>", "%s", "%(x)s", "%n%n%n", "%", "%%", "{0}", "{}", "{x.__class__}", "$(id)", "`id`", "|id", ";id", "&&id",
    "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1)", "=HYPERLINK(\"//evil.example\")", "\t=1+1",
    "a\r\nSet-Cookie: x=1", "a\nLocation: //evil.example", "a%0d%0aX: y", "../../../etc/passwd", "..\\..\\x", "/etc/passwd", "file:///etc/passwd", "C:\\x", "con", "//evil.example/",
    "http://evil.example/", "https:evil.example", "\\\\evil.example", "/\\evil.example", "http:///evil.example", "mailto:a@b", "a@b", "a@b@c", "a@example.com\nBcc: x@y",
    "null", "None", "undefined", "NaN", "nan", "Infinity", "-inf", "true", "false", "on", "[]", "[1]", "{\"a\":1}", "<?xml version='1.0'?>", "<!DOCTYPE x [<!ENTITY a 'b'>]>", "()", "a[]", "a.b", "a__b", "__proto__", "constructor",
    "0", "-0", "-1", "1", "01", "1.0", "1,0", "1e5", "1e400", "0x10", "1_000", "+1", " 1 ", "2147483647", "2147483648", "-2147483649", "9223372036854775807", "9223372036854775808",
    "9" * 30, "9" * 90, "9" * 400, "9" * 5000, "1" + "0" * 30, ".", "..", "-", "--", "_", "/", "?", "#", "&", "=", ";", ",", ":", "'", "\"", "<", ">", "|", "^", "~",
    "0000-00-00", "0001-01-01", "0000-01-01", "9999-12-31", "10000-01-01", "-0001-01-01", "2027-02-29", "2028-02-29", "2026-02-30", "2026-02-31", "2026-13-01", "2026-00-10", "2026-W53", "2026-366",
    "0001-01-01T00:00", "9999-12-31T23:59", "9999-12-31T23:59:59.999999", "2027-03-28T02:30", "2026-10-25T02:30", "2026-10-25T02:30+02:00", "2026-11-22T24:00", "2026-11-22T25:61", "2026-11-22T10:00Z", "2026-11-22T10:00+99:99",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "24:00", "25:00", "-1:00", "10:60", "10:00:60", "1 januari", "i morgon", "22/11/2026", "11/22/26", "20261122", "１０:００",
    "070-174 06 35", "+46701740635", "0046701740635", "+99999999999999", "070", "tel:070", "112", "070-ABC", "+", "++46", "anknytning 12", "0" * 40,
    "19121212-1212", "191212121212", "20261332-0000", "850412-2380", "850472-2380", "19850412+2380", "00000000-0000", "121212-121",
    "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "{00000000-0000-7000-8000-000000000000}", "00000000000070008000000000000000", "urn:uuid:00000000-0000-7000-8000-000000000000", "g" * 36,
    "A", "B", "C", "D", "AKUT", "yes", "no", "unknown", "caseworker", "keeper", "admin", "root", "superuser", "anna", "*", "%25", "%00", "%zz", "%u0041", "+", "a+b", "a b", "a;b", "a,b",
]  # fmt: skip
# What is no text at all: bytes as they stand in an address.
BYTES = [
    "a%00b", "%00", "a%07b", "a%1B%5B31mb", "a%7Fb", "a%C2%85b", "a%ED%A0%80b", "a%ED%B0%80b", "%ED%A0%80%ED%B0%80", "a%FFb", "%FE%FF", "%FF%FE",
    "a%E2%82", "%C0%80", "%C0%AE%C0%AE%2F", "%F8%88%80%80%80", "%F4%90%80%80", "a%E2%80%AEb", "a%E2%81%A6b", "a%E2%80%8Fb", "a%D8%9Cb", "%EF%BF%BD",
    "%EF%BB%BFa", "%E5", "%E4%F6", "a%0Bb", "a%0Cb", "a%01b", "a%1Ab", "%80", "a%C2", "%u0000", "%", "%4", "%%30%30",
]  # fmt: skip


def _drawn(count: int) -> list[str]:
    """Texts of odd characters, always the same."""
    chance = random.Random(2027)
    ranges = [(0, 0x20), (0x20, 0x7F), (0x7F, 0xA0), (0xA0, 0x250), (0x300, 0x370), (0x590, 0x700), (0x2000, 0x2070), (0x1F300, 0x1F600),
              (0xE000, 0xF8FF), (0xFFF0, 0xFFFF), (0x10000, 0x10FFFF)]  # fmt: skip

    def one() -> str:
        return "".join(
            chr(chance.randrange(*chance.choice(ranges))) for _ in range(chance.choice((1, 2, 3, 8, 30, 120)))
        )

    return [quote(one(), safe="", errors="surrogatepass") for _ in range(count)]


def _long() -> list[str]:
    return [quote(unit) * times for unit in ("x", "å", "😀", "<", "'", "%", "\n") for times in (101, 256, 2001, 10_001)]


VALUES = list(dict.fromkeys([quote(text, safe="") for text in [*SCRIPTS, *PLAIN]] + BYTES + _long() + _drawn(240)))
MEGABYTE = "x" * 1_000_000
# Where counting ends: the last day of the calendar, and a number that no column holds.
ENDS = ["9999-12-31", "9" * 90]
# For `make test`: a part of each kind.
SAMPLE = list(
    dict.fromkeys(
        [
            *VALUES[: len(SCRIPTS) : 9],
            *VALUES[len(SCRIPTS) : -240 - 28 - len(BYTES) : 13],
            *BYTES[::4],
            *VALUES[-240::40],
            *ENDS,
        ]
    )
)
