"""Languages as the pages name them."""

_NAMES = """
am Amharic, ar Arabic, az Azerbaijani, be Belarusian, bg Bulgarian, bn Bengali, bo Tibetan, ca Catalan, cs
Czech, da Danish, de German, el Greek, es Spanish, et Estonian, eu Basque, fa Persian, fi Finnish, fr French, gu
Gujarati, he Hebrew, hi Hindi, hr Croatian, hu Hungarian, hy Armenian, is Icelandic, it Italian, ja Japanese, ka
Georgian, km Khmer, kn Kannada, ko Korean, ku Kurdish, lo Lao, lt Lithuanian, lv Latvian, ml Malayalam, mr
Marathi, ms Malay, my Burmese, nl Dutch, no Norwegian, or Odia, pa Punjabi, pl Polish, pt Portuguese, ro
Romanian, ru Russian, si Sinhala, sk Slovak, sl Slovene, sq Albanian, sr Serbian, sv Swedish, ta Tamil, te
Telugu, th Thai, tl Tagalog, tr Turkish, uk Ukrainian, ur Urdu, vi Vietnamese, yo Yoruba, zh Chinese
"""
# ISO 639 code -> name, for every language that the detector tells apart.
LANGUAGE_WORDS: dict[str, str] = dict(one.split() for one in _NAMES.split(","))
