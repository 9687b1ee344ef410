#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The fit gives back the constants that a table of measurements was made with."""
import csv
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True
import device_curve as curve  # noqa: E402

TRUE = {"gpu.reach16": 0.71, "gpu.reach8": 0.57, "gpu.reach_attention": 0.34,
        "gpu.reach_experts": 0.62}
SHARE = 0.83


def table(gpu, noise=()):
    """Rows as the model would measure them; `noise` multiplies some, in turn."""
    c = curve.physics()
    rows = []

    def put(kind, precision, seconds, **what):
        factor = noise[len(rows) % len(noise)] if noise else 1
        rows.append({**dict.fromkeys(curve.COLUMNS, ""), "kind": kind, "precision": precision,
                     "m": 0, "n": 0, "k": 0, "groups": 1, "heads": 0, "head_dim": 0, "causal": 0,
                     **what, "seconds": seconds * factor})

    def product(kind, precision, reach, m, n, k, groups=1):
        what = {"precision": precision, "m": m, "n": n, "k": k, "groups": groups}
        worked, moved = curve.product_seconds(what, gpu, c, reach)
        put(kind, precision, max(worked, moved / (gpu["bandwidth"] * SHARE)) + c["ramp"],
            m=m, n=n, k=k, groups=groups)

    for precision, reach in (("bf16", 0.71), ("tf32", 0.5), ("fp8", 0.57)):
        # The last is limited by memory, and must not count.
        for m, n, k in (*curve.shapes(), (1, 8192, 8192), (16, 16384, 16384)):
            product("matmul", precision, reach, m, n, k)
    for groups, m, n, k in ((8, 2048, 14336, 4096), (32, 512, 4096, 7168), (64, 256, 2816, 2048)):
        product("grouped", "bf16", 0.71 * 0.62, m, n, k, groups)
    for kind in ("attention_forward", "attention_backward"):
        for length, size in ((2048, 128), (8192, 128), (8192, 64)):
            what = {"kind": kind, "precision": "bf16", "m": 16384, "n": length, "heads": 32,
                    "head_dim": size, "causal": 1}
            seconds = curve.attention_seconds(what, gpu, c, 0.34) + curve.ramps(what) * c["ramp"]
            put(kind, "bf16", seconds, **{k: v for k, v in what.items()
                                          if k not in ("kind", "precision")})
    for size in (2**26, 2**28, 2**30):
        put("copy", "", 2 * size / (gpu["bandwidth"] * SHARE) + c["ramp"], m=size)
    return rows


class Fit(unittest.TestCase):
    def setUp(self):
        self.gpu = curve.catalog_row("h100-sxm")

    def test_the_constants_come_back(self):
        constants, notes = curve.fit(table(self.gpu), self.gpu)
        self.assertEqual(set(constants), set(TRUE))
        for name, value in TRUE.items():
            self.assertAlmostEqual(constants[name], value, places=9, msg=name)
        self.assertAlmostEqual(notes["bandwidth"], SHARE, places=9)
        self.assertAlmostEqual(notes["tf32"], 0.5, places=9)

    def test_rows_limited_by_memory_do_not_count(self):
        _, notes = curve.fit(table(self.gpu), self.gpu)
        self.assertLessEqual(notes["rows"]["bf16"], len(list(curve.shapes())))

    def test_a_few_odd_rows_hardly_matter(self):
        noise = (1, 1.01, 0.99, 1, 3, 1.02, 0.98, 1)
        constants, _ = curve.fit(table(self.gpu, noise), self.gpu)
        for name, value in TRUE.items():
            self.assertLess(abs(constants[name] / value - 1), 0.05, name)

    def test_the_command_reads_a_file_and_prints_a_row(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "curve.csv"
            with open(path, "w", newline="") as file:
                writer = csv.DictWriter(file, curve.COLUMNS)
                writer.writeheader()
                writer.writerows(table(self.gpu))
            run = [sys.executable, str(HERE / "device_curve.py"), "--fit", str(path)]
            out = subprocess.run([*run, "--device", "h100-sxm"], capture_output=True, text=True,
                                 check=True).stdout
            self.assertEqual(json.loads(out)["set"], TRUE)
            # The row is needed for its peaks, and an unknown one says so.
            for more in ([], ["--device", "no-such-card"]):
                self.assertNotEqual(subprocess.run([*run, *more], capture_output=True,
                                                   check=False).returncode, 0)

    def test_a_device_without_fp8_has_no_such_constant(self):
        gpu = {**self.gpu, "fp8": None}
        constants, _ = curve.fit([r for r in table(self.gpu) if r["precision"] != "fp8"], gpu)
        self.assertNotIn("gpu.reach8", constants)


if __name__ == "__main__":
    unittest.main()
