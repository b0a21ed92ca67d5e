"""Unlabelled text of a data folder's training splits, for vbert distill.

python3 Models/task_text.py DATA OUT: DATA holds cls|pair|ner/TASK/{train,test}.jsonl[.gz]; writes
OUT/singles.txt and OUT/pairs.txt (two texts of a line with a tab between). Texts that are also in any
task's test split are left out, repeated ones are taken once; so are tasks whose texts the plain
corpora hold already.
"""

import glob
import gzip
import json
import sys

HELD_ALREADY = {
    "imdb_short", "movie_reviews_long", "newsgroup10", "newsgroups20", "reuters_topics",
    "sgd_intent", "sgd_user_act", "sgd_slots",
}


def rows(folder, part):
    for path in glob.glob(f"{folder}/{part}.jsonl*"):
        opened = gzip.open if path.endswith(".gz") else open
        with opened(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)


def texts(row):
    if "tokens" in row:
        return [" ".join(row["tokens"])]
    return [" ".join(row[key].split()) for key in ("text", "text_pair") if key in row]


def main(data, out):
    folders = sorted(glob.glob(f"{data}/*/*"))
    tested = {t.lower() for f in folders for row in rows(f, "test") for t in texts(row)}
    seen = set()
    with open(f"{out}/singles.txt", "w") as singles, open(f"{out}/pairs.txt", "w") as pairs:
        for folder in folders:
            if folder.rsplit("/", 1)[1] in HELD_ALREADY:
                continue
            for row in rows(folder, "train"):
                found = texts(row)
                key = tuple(t.lower() for t in found)
                if key in seen or not all(found) or any(t in tested for t in key):
                    continue
                seen.add(key)
                (pairs if len(found) > 1 else singles).write("\t".join(found) + "\n")


main(*sys.argv[1:])
