#!/usr/bin/env python3
"""Makes the tokeniser's fixtures with the reference library, on sentences and a vocabulary made here.

    pip install tokenizers==0.23.3 numpy
    cd Tests/ModelTests/Fixtures && python3 make_wordpiece_fixtures.py

Writes wordpiece.vocab.txt, wordpiece.tokenizer.json (the same vocabulary) and wordpiece.jsonl: one
line an encoding, with the options it was made with. wordpiece.left.jsonl has encodings that are cut on
the left.
"""

import json
import random
import string

from tokenizers import BertWordPieceTokenizer

PIECES = """the cat sat on mat un ##aff ##able ##ing ##s runn play ##ed ##er caf ##e cafe é caf\u00e9
 ##\u00e9 e\u0301 strasse stra\u00dfe i ##i\u0307 ἀ α ##α 東 京 日 ##本 한 \u1112 ##\u1161 ##\u11ab й и
 ##и \u0e01 ##\u0e33 \U0001f600 ##\U0001f600 \u0939 ##\u093f ##\u0928 9 ##9 1 ##2 can ' t , . ! ? - _
 ( ) [ ] # @ % & / : ; " \u2014 \u00bf \u201c \u201d \u00b7 $ + = ~ ` ^ | { } \\ < > * CLS Hello
 hello world ##ld wor Ä ä ##Ä O ##SS ##OS""".split()

SENTENCES = [
    "", " ", "The cat sat on the mat.", "unaffable", "Unaffable cats, running!", "cafe caf\u00e9 cafe\u0301",
    "STRASSE Stra\u00dfe", "\u0130i I\u0307", "\u1f00 \u1f04", "日本東京", "play東ed", "\ud55c \ud558\ub098",
    "\u0439 и\u0306", "\u0e01\u0e33\u0e33", "\U0001f600\U0001f600 \U0001f600", "\u0939\u093f\u0928\u094d\u0926\u0940",
    "can't [MASK] a [CLS]b[SEP] [ MASK ] [mask] [MASK", "[UNK][PAD][MASK]", "a\x00b\ufffdc\u200bd\u00ade",
    "tab\there\u00a0there\u3000now\u2028then\x0bvt\x85nel", "x" * 99 + " " + "x" * 100 + " " + "x" * 101,
    "cat" * 33 + "s", "cat" * 34, "e\u0323\u0301e\u0301\u0323", "a\u302e\u0301\u0344b\u0f73\u302f\u0f81",
    "\u0344\u0301\u0334", "\u1e9b\u0323 \u212b \u2126", "\U0001d15e\u302e\U0001d165", "( [ { # $ + = ~ ` ^ | \\ < > *",
    "\u2014\u00bf\u201cHello\u201d\u00b7\u037e\u1fef", "\ue000priv\U000e0041tag", "HELLO World hELLo",
    "Ä A\u0308 ÄÄ OSS", "9912 1-2/9:1", "\U00010400\u1c90\u13a0", "\uf900 \ufa0e \U0002f800 \U00020000 \U0002b820",
    "##ing ## #s", "the\nmat\r\nsat", "e\u0301" * 60, "\u0301", "a" + "\u0301\u0323" * 20 + "b",
    "\u0378\u0379 \u2e5d \u0898a", "\ufe00\ufe0f\u200d", "wor##ld world",
]

vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
for piece in PIECES + list(string.ascii_lowercase) + ["##" + c for c in string.ascii_lowercase + "XSÄ"]:
    if piece not in vocabulary:
        vocabulary.append(piece)
with open("wordpiece.vocab.txt", "w", encoding="utf-8") as f:
    f.write("\n".join(vocabulary) + "\n")

ids = {token: i for i, token in enumerate(vocabulary)}
random.seed(7)
lines = []
for lowercase, strip_accents, chinese in [
        (True, None, True), (False, None, True), (True, False, True), (False, True, False)]:
    tokenizer = BertWordPieceTokenizer(
        ids, lowercase=lowercase, strip_accents=strip_accents, handle_chinese_chars=chinese)
    options = {"lowercase": lowercase, "stripAccents": strip_accents, "chinese": chinese}
    if lowercase and strip_accents is None:
        document = json.loads(tokenizer.to_str())
        with open("wordpiece.tokenizer.json", "w", encoding="utf-8") as f:
            json.dump(document, f)

    def add(encoding, **case):
        case = {**options, **case, "ids": encoding.ids, "typeIDs": encoding.type_ids,
                "offsets": encoding.offsets}
        lines.append(json.dumps({k: v for k, v in case.items() if v is not None}))

    for text in SENTENCES:
        add(tokenizer.encode(text), text=text)
    if strip_accents is None and lowercase:
        for length in [3, 4, 5, 6, 7, 9, 12, 16]:
            tokenizer.enable_truncation(length)
            for _ in range(6):
                a, b = random.sample(SENTENCES[:20] + SENTENCES[31:38], 2)
                add(tokenizer.encode(a, b), text=a, pair=b, maxLength=length)
            add(tokenizer.encode(a), text=a, maxLength=length)
            words = random.sample(SENTENCES[:-5], 5)
            encoding = tokenizer.encode(words, is_pretokenized=True)
            add(encoding, texts=words, maxLength=length,
                words=[-1 if w is None else w for w in encoding.word_ids])
with open("wordpiece.jsonl", "w", encoding="ascii") as f:
    f.write("\n".join(lines) + "\n")

lines = []
tokenizer = BertWordPieceTokenizer(ids)
options = {"lowercase": True, "chinese": True}
for length in [4, 5, 7, 12, 31]:
    tokenizer._tokenizer.enable_truncation(length, direction="left")
    for text in SENTENCES:
        add(tokenizer.encode(text), text=text, maxLength=length)
    for _ in range(12):
        a, b = random.sample(SENTENCES, 2)
        add(tokenizer.encode(a, b), text=a, pair=b, maxLength=length)
        words = random.sample(SENTENCES, 5)
        encoding = tokenizer.encode(words, is_pretokenized=True)
        add(encoding, texts=words, maxLength=length,
            words=[-1 if w is None else w for w in encoding.word_ids])
with open("wordpiece.left.jsonl", "w", encoding="ascii") as f:
    f.write("\n".join(lines) + "\n")
