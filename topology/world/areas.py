"""Areas that telegrams speak of: names and codes of the Japan Meteorological Agency.

Source: the agency's published sample telegrams of the earthquake of 2011-03-11 (震源・震度に関する情報 VXSE53 and
津波警報 VTSE41), and of 2016-07-15 for a weather office's area (VPWW54); for Hokkaido its table of areas and codes.
Only what lies in Kanto, Tohoku, Yamanashi and Shizuoka is kept, and of Hokkaido the areas of intensities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Area:
    """A code and its name. `prefecture` is the code of the prefecture it lies in, empty where telegrams name none."""

    code: str
    name: str
    prefecture: str = ""


#: 地震情報／都道府県等
PREFECTURES: Final = {
    "01": "北海道",
    "02": "青森県",
    "03": "岩手県",
    "04": "宮城県",
    "05": "秋田県",
    "06": "山形県",
    "07": "福島県",
    "08": "茨城県",
    "09": "栃木県",
    "10": "群馬県",
    "11": "埼玉県",
    "12": "千葉県",
    "13": "東京都",
    "14": "神奈川県",
    "19": "山梨県",
    "22": "静岡県",
}

_SEISMIC: Final = {
    "01": "100 石狩地方北部 101 石狩地方中部 102 石狩地方南部 105 渡島地方北部 106 渡島地方東部 "
    "107 渡島地方西部 110 檜山地方 115 後志地方北部 116 後志地方東部 117 後志地方西部 "
    "120 空知地方北部 121 空知地方中部 122 空知地方南部 125 上川地方北部 126 上川地方中部 "
    "127 上川地方南部 130 留萌地方中北部 131 留萌地方南部 135 宗谷地方北部 136 宗谷地方南部 "
    "140 網走地方 141 北見地方 142 紋別地方 145 胆振地方西部 146 胆振地方中東部 "
    "150 日高地方西部 151 日高地方中部 152 日高地方東部 155 十勝地方北部 156 十勝地方中部 "
    "157 十勝地方南部 160 釧路地方北部 161 釧路地方中南部 165 根室地方北部 166 根室地方中部 "
    "167 根室地方南部",
    "02": "200 青森県津軽北部 201 青森県津軽南部 202 青森県三八上北 203 青森県下北",
    "03": "210 岩手県沿岸北部 211 岩手県沿岸南部 212 岩手県内陸北部 213 岩手県内陸南部",
    "04": "220 宮城県北部 221 宮城県南部 222 宮城県中部",
    "05": "230 秋田県沿岸北部 231 秋田県沿岸南部 232 秋田県内陸北部 233 秋田県内陸南部",
    "06": "240 山形県庄内 241 山形県最上 242 山形県村山 243 山形県置賜",
    "07": "250 福島県中通り 251 福島県浜通り 252 福島県会津",
    "08": "300 茨城県北部 301 茨城県南部",
    "09": "310 栃木県北部 311 栃木県南部",
    "10": "320 群馬県北部 321 群馬県南部",
    "11": "330 埼玉県北部 331 埼玉県南部 332 埼玉県秩父",
    "12": "340 千葉県北東部 341 千葉県北西部 342 千葉県南部",
    "13": "350 東京都２３区 351 東京都多摩東部 352 東京都多摩西部 354 神津島 355 伊豆大島 356 新島 357 三宅島 "
    "358 八丈島 359 小笠原",
    "14": "360 神奈川県東部 361 神奈川県西部",
    "19": "411 山梨県中・西部 412 山梨県東部・富士五湖",
    "22": "440 静岡県伊豆 441 静岡県東部 442 静岡県中部 443 静岡県西部",
}
_COASTS: Final = (
    "200 青森県日本海沿岸 201 青森県太平洋沿岸 202 陸奥湾 210 岩手県 220 宮城県 230 秋田県 250 福島県 300 茨城県 "
    "310 千葉県九十九里・外房 311 千葉県内房 312 東京湾内湾 320 伊豆諸島 321 小笠原諸島 330 相模湾・三浦半島 380 静岡県"
)


def _areas(words: str, prefecture: str = "") -> dict[str, Area]:
    codes, names = words.split()[::2], words.split()[1::2]
    return {code: Area(code, name, prefecture) for code, name in zip(codes, names, strict=True)}


#: 地震情報／細分区域, by code: where intensities are told.
SEISMIC: Final = {
    code: area for prefecture, words in _SEISMIC.items() for code, area in _areas(words, prefecture).items()
}
#: 津波予報区, by code: coasts.
COASTS: Final = _areas(_COASTS)
#: The coasts of each prefecture, as their names and the bays they enclose say. 東京湾内湾 lies between three of them.
COASTS_OF: Final = {
    "02": ("200", "201", "202"),
    "03": ("210",),
    "04": ("220",),
    "05": ("230",),
    "07": ("250",),
    "08": ("300",),
    "12": ("310", "311", "312"),
    "13": ("312", "320", "321"),
    "14": ("312", "330"),
    "22": ("380",),
}
#: 気象情報／府県予報区, by code. In these prefectures one office speaks for all of it, and its area is the prefecture's
#: code and four zeros. Hokkaido has several offices, and none of their areas is kept.
FORECAST: Final = {
    f"{code}0000": Area(f"{code}0000", name, code) for code, name in PREFECTURES.items() if code != "01"
}
