#!/usr/bin/env python3
"""Writes Sources/Model/Tokenizer/BertUnicodeData.swift: what BERT's tokeniser does with each code point.

The reference (Hugging Face's `tokenizers`) draws on Unicode tables of several ages: categories of
version 8, decompositions of version 9, lower case of its compiler's version. So the facts are read
off the reference itself, one code point at a time; only combining classes, which it never shows,
come from Python's unicodedata, for the code points that the reference reorders.

    pip install tokenizers==0.23.3
    python3 scripts/make_bert_unicode.py > Sources/Model/Tokenizer/BertUnicodeData.swift
"""

import unicodedata

import tokenizers
from tokenizers.normalizers import NFD, BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

DROP, SPACE, PUNCTUATION, CJK, MARK, DECOMPOSES, LOWERS, NONSTARTER = (1 << i for i in range(8))
SCALARS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
HANGUL = range(0xAC00, 0xD7A4)  # decomposed by arithmetic


def normalizer(**on):
    off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return BertNormalizer(**{**off, **on}).normalize_str


def facts():
    clean, spaced = normalizer(clean_text=True), normalizer(handle_chinese_chars=True)
    lower, strip, nfd = normalizer(lowercase=True), normalizer(strip_accents=True), NFD().normalize_str
    pieces = BertPreTokenizer().pre_tokenize_str
    traits, classes, decompositions, lowered = [0] * 0x110000, {}, {}, {}
    for c in SCALARS:
        s, t = chr(c), 0
        full, kept, small = nfd(s), clean(s), lower(s)
        if kept == "":
            t |= DROP
        if kept == " ":
            t |= SPACE
        if spaced(s) != s:
            t |= CJK
        if full == s and strip(s) == "":
            t |= MARK
        split = [word for word, _ in pieces("a" + s + "b")]
        if split == ["a", s, "b"]:
            t |= PUNCTUATION
        if full != s:
            t |= DECOMPOSES
            if c not in HANGUL:
                decompositions[c] = [ord(d) for d in full]
        elif nfd("a" + s + "\u0334") != "a" + s + "\u0334" or nfd("a\u0345" + s) != "a\u0345" + s:
            t |= NONSTARTER
            classes[c] = unicodedata.combining(s)
            assert classes[c] > 0
        if small != s:
            t |= LOWERS
            lowered[c] = [ord(d) for d in small]
        traits[c] = t
    return traits, classes, decompositions, lowered


def encoded(numbers):
    """Each number in groups of five bits, lowest first, as characters '0'...'o'; 32 says: more."""
    out = []
    for n in numbers:
        while n >= 32:
            out.append(chr(48 + 32 + n % 32))
            n //= 32
        out.append(chr(48 + n))
    return "".join(out)


def zigzag(n):
    return n * 2 if n >= 0 else -n * 2 - 1


def runs(values):
    start, out = 0, []
    for i in range(1, len(values) + 1):
        if i == len(values) or values[i] != values[start]:
            out += [i - start, values[start]]
            start = i
    return out


def keyed(table, row):
    out, last = [], 0
    for c in sorted(table):
        out += [c - last, *row(c, table[c])]
        last = c
    return out


def main():
    traits, classes, decompositions, lowered = facts()
    assert all(len(v) == 1 or (c, v) == (0x130, [0x69, 0x307]) for c, v in lowered.items())
    tables = [
        ("traits", "Runs over all code points: length, `BertUnicode.Traits`.", runs(traits)),
        ("combiningClasses", "Distance from the last code point, canonical combining class.",
         keyed(classes, lambda c, v: [v])),
        ("decompositions",
         "Distance from the last code point, count, full canonical decomposition.",
         keyed(decompositions, lambda c, v: [len(v), *v])),
        ("lowercase",
         "Distance from the last code point, zigzag of lower case - code point (first of two).",
         keyed(lowered, lambda c, v: [zigzag(v[0] - c)])),
    ]
    print(f"""\
// Made by scripts/make_bert_unicode.py from tokenizers {tokenizers.__version__}; do not edit.

/// Numbers in groups of five bits, lowest first, one character each from '0'; bit 32 says: more.
enum BertUnicodeData {{""")
    for name, comment, numbers in tables:
        text = encoded(numbers)
        print(f'  /// {comment}\n  static let {name} = #"""')
        lines = [text[i:i + 94] for i in range(0, len(text), 94)]
        print("    " + "\\#\n    ".join(lines) + '\n    """#')
    print("}")


main()
