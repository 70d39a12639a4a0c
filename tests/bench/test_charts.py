"""Charts are sound XML, the same in every run, and put a value where it belongs."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from bench.charts import Chart, Group, Value, powers, svg

_NAME = "{http://www.w3.org/2000/svg}"


def _chart(*values: Value, log: bool = False) -> Chart:
    low, high = (1.0, 100.0) if log else (0.0, 1.0)
    groups = tuple(Group(f"<a & b> {number}", (value,)) for number, value in enumerate(values))
    return Chart("What & how <fast>", ("one", "", "three"), groups, low, high, powers(1, 100), log)


def _widths(chart: Chart) -> list[float]:
    bars = ET.fromstring(svg(chart)).findall(f"{_NAME}rect")
    return [float(bar.get("width", "0")) for bar in bars if float(bar.get("x", "0")) == 190]


def test_a_chart_is_sound_xml_whatever_its_words_are() -> None:
    root = ET.fromstring(svg(_chart(Value(0, 0.5, "< .5 & more"))))
    title = root.find(f"{_NAME}title")
    assert title is not None
    assert title.text == "What & how <fast>. <a & b> 0, one: < .5 & more."


def test_the_same_results_give_the_same_bytes() -> None:
    assert svg(_chart(Value(0, 1 / 3, "a"))) == svg(_chart(Value(0, 1 / 3, "a")))


def test_bars_are_as_long_as_their_values() -> None:
    half, whole = _widths(_chart(Value(0, 0.5, ""), Value(0, 1.0, "")))
    assert whole == 2 * half
    tenth, hundredth = _widths(_chart(Value(0, 10, ""), Value(0, 100, ""), log=True))
    assert hundredth == 2 * tenth


def test_a_value_beyond_the_axis_stays_inside() -> None:
    inside, beyond = _widths(_chart(Value(0, 1.0, ""), Value(0, 7.0, "")))
    assert inside == beyond


def test_a_series_without_a_name_is_not_in_the_legend() -> None:
    root = ET.fromstring(svg(_chart(Value(0, 0.5, "x"))))
    words = [text.text for text in root.findall(f"{_NAME}text")]
    assert "one" in words
    assert "three" in words
    assert "" not in words


def test_a_chart_is_readable_in_light_and_in_dark() -> None:
    drawn = svg(_chart(Value(0, 0.5, "x", 0.7)))
    assert "prefers-color-scheme: dark" in drawn
    assert 'class="back"' in drawn
    assert 'class="bar"' in drawn
