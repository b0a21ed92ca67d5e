"""The peers draw the rows that `vbert report accuracy --rows` draws: Tests/AccuracyStudyTests holds our
side to the same numbers.

python3 Benchmarks/test_few_rows.py
"""

import json
import os
import tempfile
import types
import unittest

from few_rows import Log, SplitMix, arguments, drawn, run

# 61 rows of class 0, 30 of class 1, 6 of class 2.
CLASSES = [2 if i % 14 == 13 else 1 if i % 3 == 2 else 0 for i in range(97)]


def work(task, draw, cells, log, options):
    """A peer that learns nothing."""
    for cell in cells:
        rows = drawn(cell, draw, task.classes())
        log.append(task, options.method, cell, draw, "accuracy", 0.5, len(rows), 1, 0.1)


class FewRows(unittest.TestCase):
    def test_draws(self):
        for cell, draw, rows in [
            ("3/class", 1, [59, 34, 64, 57, 29, 56, 55, 27, 83]),
            ("3/class", 2, [67, 96, 23, 32, 74, 72, 69, 41, 27]),
            ("10", 1, [59, 34, 64, 57, 29, 78, 56, 76, 73, 91]),
            ("10", 5, [29, 84, 5, 70, 88, 82, 47, 54, 14, 93]),
        ]:
            self.assertEqual(drawn(cell, draw, CLASSES), rows)
        self.assertEqual(SplitMix(1).next(), 10451216379200822465)

    def test_a_class_gives_what_it_has(self):
        found = [CLASSES[row] for row in drawn("8/class", 3, CLASSES)]
        self.assertEqual([found.count(c) for c in range(3)], [8, 8, 6])
        self.assertEqual(sorted(drawn("200", 3, CLASSES)), list(range(97)))

    def test_a_log_goes_on_and_drops_a_half_line(self):
        task = types.SimpleNamespace(name="a", kind="cls", test=[0] * 5)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "log.jsonl")
            Log(path).append(task, "m", "8/class", 1, "accuracy", 0.5, 24, 3, 0.1)
            with open(path, "a") as file:
                file.write('{"task": "a')
            log = Log(path)
            self.assertTrue(log.has(task, "m", "8/class", 1))
            self.assertFalse(log.has(task, "m", "8/class", 2) or log.has(task, "m", "8", 1))
            log.append(task, "m", "8/class", 2, "accuracy", 0.5, 24, 3, 0.1)
            with open(path) as file:
                self.assertEqual(len(file.readlines()), 2)

    def test_a_study_runs_what_its_log_lacks(self):
        with tempfile.TemporaryDirectory() as folder:
            for kind, name, row in [("cls", "a", {"text": "x", "label": "l"}),
                                    ("pair", "s", {"text": "x", "text_pair": "y", "score": 1}),
                                    ("ner", "n", {"tokens": ["x"], "tags": ["O"]})]:
                os.makedirs(f"{folder}/{kind}/{name}")
                for part in ("train", "test"):
                    with open(f"{folder}/{kind}/{name}/{part}.jsonl", "w") as file:
                        file.write((json.dumps(row) + "\n") * 9)
            log = f"{folder}/log.jsonl"

            def study(*more):
                options = arguments("Test.").parse_args(
                    ["--data", folder, "--log", log, "--kinds", "cls,pair,ner", "--rows", "2", "--in-all", "3,4",
                     "--least-test", "9", *more])
                options.method = "m"
                run(options, work)
                with open(log) as file:
                    return [json.loads(line) for line in file]

            # Tags and scores have no classes.
            first = study("--draws", "1")
            self.assertEqual(sorted((r["task"], r["cell"], r["trainRows"]) for r in first), [
                ("a", "2/class", 2), ("a", "3", 3), ("a", "4", 4), ("n", "3", 3), ("n", "4", 4),
                ("s", "3", 3), ("s", "4", 4)])
            second = study("--draws", "3", "--processes", "2", "--test", "5")
            self.assertEqual(second[:7], first)
            self.assertEqual(len({(r["task"], r["cell"], r["draw"]) for r in second}), 21)
            self.assertEqual({r["testRows"] for r in second[7:]}, {5})
            self.assertEqual(study("--draws", "3", "--least-test", "10"), second)


if __name__ == "__main__":
    unittest.main()
