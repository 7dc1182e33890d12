"""Messages and answers of every shared capture are tshark's, or the difference is explained."""
import difflib

import lib


def test_counts_are_those_of_tshark(tmp):
    lib.shared("data/captures/EXPECTED.tsv")
    lib.program("tshark")
    lib.program("editcap")
    done = lib.run(lib.SOURCE / "scripts/compare-captures", tmp / "captures.md", timeout=300, check=False,
                   env={"DNSMON_BIN": lib.dnsmon_path(), "DNSMON_SHARED": str(lib.SHARED)})
    table = (tmp / "captures.md").read_text()
    assert done.returncode == 0, "\n".join(line for line in table.splitlines() if "unexplained" in line) + done.stderr
    written = (lib.SOURCE / "docs/captures.md").read_text()
    assert table == written, "docs/captures.md is out of date:\n" + "\n".join(
        difflib.unified_diff(written.splitlines(), table.splitlines(), lineterm="", n=0))
