#!/usr/bin/env python3
"""Makes added-tokens.jsonl with the reference library: texts that hold added tokens, for tokenisers
that are wordpiece.tokenizer.json with these tokens added behind its own.

    pip install tokenizers==0.23.3
    cd Tests/ModelTests/Fixtures && python3 make_added_tokens.py

One line a tokeniser: `tokens` (as in tokenizer.json), `lowercase`, and `cases`: a text or words, with
ids and offsets.
"""

import json
import random

from tokenizers import Tokenizer

BASE = json.load(open("wordpiece.tokenizer.json", encoding="utf-8"))
FIRST = len(BASE["model"]["vocab"])


def token(content, **flags):
    return {"content": content, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": False, **flags}


SETS = [
    [token("[new]")], [token("New")], [token("new", single_word=True)],
    [token("<e>", lstrip=True)], [token("<e>", rstrip=True)], [token("<e>", lstrip=True, rstrip=True)],
    [token("ab"), token("abc"), token("bcd")],
    [token("ab", single_word=True), token("b c")],
    [token("café", single_word=True, lstrip=True)], [token("東京")], [token("日", single_word=True)],
    [token("New", normalized=True)], [token("new", normalized=True, single_word=True)],
    [token("Caf\u00e9", normalized=True)], [token("東京", normalized=True)],
    [token("covid-19", normalized=True)], [token("a b", normalized=True)],
    [token("ab", normalized=True), token("abc", normalized=True), token("bcd", normalized=True)],
    [token("ab", normalized=True, single_word=True), token("b c", normalized=True)],
    [token("[New]", normalized=True), token("New"), token("<e>", rstrip=True)],
    [token("cat", normalized=True), token("the cat sat", normalized=True)],
    [token("un", normalized=True, single_word=True), token("able")],
    [token(". ", normalized=True)], [token("aa", normalized=True), token("aaab", normalized=True)],
]
PARTS = ["[new]", "New", "new", "NEW", "n\u00e9w", "<e>", "<E>", "ab", "abc", "abcd", "bcd", "AB", "b c", "B C",
         "caf\u00e9", "Cafe\u0301", "cafe", "CAF\u00c9", "東京", "東", "日本", "covid-19", "COVID-19", "a b", "A B", "[New]",
         "[NEW]", "the cat sat", "The Cat sat", "cat", "unable", "un able", "aaab", "aaaab", "aaa", ".", ". ",
         "[CLS]", "[MASK]", "the", "mat"]
GLUE = ["", " ", "  ", "\t", "\n ", "_", "-", "9", "x", "é", "\u3000", "\u0301", "\u200d", "\u00ad", "!", "東"]

random.seed(11)
with open("added-tokens.jsonl", "w", encoding="ascii") as out:
    for tokens in SETS:
        for lowercase in [True, False]:
            document = json.loads(json.dumps(BASE))
            own = BASE["model"]["vocab"]
            lacking = [t["content"] for t in tokens if t["content"] not in own]
            added = [{"id": own[t["content"]] if t["content"] in own
                      else FIRST + lacking.index(t["content"]), **t} for t in tokens]
            document["added_tokens"] += added
            document["normalizer"]["lowercase"] = lowercase
            tokenizer = Tokenizer.from_str(json.dumps(document))
            contents = [t["content"] for t in tokens]
            cases = []
            for number in range(12):
                mix = contents * 4 + [c.upper() for c in contents] + PARTS
                text = "".join(
                    random.choice(GLUE) + random.choice(mix) for _ in range(random.randint(1, 5)))
                text += random.choice(GLUE)
                if number % 4 == 3:
                    words = [w for w in text.split(" ") if w] or ["a"]
                    encoding = tokenizer.encode(words, is_pretokenized=True)
                    case = {"words": words}
                else:
                    encoding = tokenizer.encode(text)
                    case = {"text": text}
                cases.append({**case, "ids": encoding.ids, "offsets": encoding.offsets})
            out.write(json.dumps({"tokens": added, "lowercase": lowercase, "cases": cases}) + "\n")
