"""The peers draw the rows that `vbert report accuracy --rows` draws: Tests/AccuracyStudyTests holds our
side to the same numbers.

python3 Benchmarks/test_few_rows.py
"""

import os
import tempfile
import types
import unittest

from few_rows import Log, SplitMix, drawn

# 61 rows of class 0, 30 of class 1, 6 of class 2.
CLASSES = [2 if i % 14 == 13 else 1 if i % 3 == 2 else 0 for i in range(97)]


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


unittest.main()
