"""Writes tags.jsonl: entities and figures of random tags, well-formed ones and any others, as seqeval
(1.2.2, pip install seqeval) finds them: its default mode for bio, iob1, bios and ioe, its strict mode
for the rest. It knows no M and no W: they are given to it as I and S."""

import json
import random
import warnings

from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import BILOU, IOBES, Entities

warnings.filterwarnings("ignore")
random.seed(20)
LETTERS = {
    "bio": "BI", "iob1": "BI", "bios": "BIS", "ioe": "IE",
    "bioes": "BIES", "bilou": "BILU", "bmes": "BMES", "bmew": "BMEW",
}
FORMS = {"": lambda m, t: f"{m}-{t}", ":TYPE-X": lambda m, t: f"{t}-{m}"}
TYPES = ["PER", "LOC", "A-B"]


def tags(letters, form, types):
    def one():
        if random.random() < 0.3:
            return "O"
        return form(random.choice(letters), random.choice(types))

    return [one() for _ in range(random.randint(1, 12))]


def changed(row, letters, form, types):
    return [t if random.random() < 0.7 else tags(letters, form, types)[0] for t in row]


def theirs(tag, suffix):
    if tag == "O":
        return tag
    at = len(tag) - 1 if suffix else 0
    return tag[:at] + {"M": "I", "W": "S"}.get(tag[at], tag[at]) + tag[at + 1 :]


with open("tags.jsonl", "w") as out:
    for kind, letters in LETTERS.items():
        for name, form in FORMS.items():
            suffix = bool(name)
            for number in range(8):
                types = TYPES[: 1 + number % 3]
                gold = [tags(letters, form, types) for _ in range(4)]
                pred = [changed(row, letters, form, types) for row in gold]
                rows = [[theirs(t, suffix) for t in row] for row in gold]
                found = [[theirs(t, suffix) for t in row] for row in pred]
                how = {"suffix": suffix, "zero_division": 0}
                if letters in ("BI", "BIS", "IE"):
                    spans = [
                        [[t, a, b + 1] for t, a, b in get_entities(row, suffix)] for row in rows
                    ]
                else:
                    scheme = BILOU if kind == "bilou" else IOBES
                    how |= {"mode": "strict", "scheme": scheme}
                    spans = [
                        [[e.tag, e.start, e.end] for e in row]
                        for row in Entities(rows, scheme, suffix).entities
                    ]
                case = {"scheme": kind + name, "gold": gold, "pred": pred, "spans": spans}
                for key, score in [
                    ("precision", precision_score), ("recall", recall_score), ("f1", f1_score),
                ]:
                    case[key] = float(score(rows, found, **how))
                out.write(json.dumps(case) + "\n")
