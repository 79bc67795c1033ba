"""Programs that filter their own system calls (seccomp): the filter kills them for a call that only the agent
makes."""

import ctypes
import errno
import pathlib
import platform
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from agent_test import AgentCase, on_each_interpreter  # noqa: E402

# pread64, openat, statx, access, link, symlink, ftruncate (or those with `at` that stand for them), perf_event_open last.
CALLS = {"x86_64": (17, 257, 332, 21, 86, 88, 77, 298), "aarch64": (67, 56, 291, 48, 37, 36, 46, 241)}.get(platform.machine())

# Kills at those of CALLS.
SOURCE = """
import ctypes, os, struct, sys
{first_call}
libc = ctypes.CDLL(None)
prctl = libc.prctl
@profile
def f(n):
    return bytearray(n)
def forbid(*numbers):
    rules = [(0x20, 0, 0, 0)]
    for number in numbers: rules += [(0x15, 0, 1, number), (0x06, 0, 0, 0x80000000)]
    rules += [(0x06, 0, 0, 0x7fff0000)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *rule) for rule in rules))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(rules), ctypes.addressof(code)))
    assert prctl(38, 1, 0, 0, 0) == 0
    assert prctl(22, 2, ctypes.c_void_p(ctypes.addressof(program)), 0, 0) == 0
forbid(*CALLS)
kept = f(32 << 20)
for i in range(3000): f(1)
if sys.version_info < (3, 12):  # os.fork of 3.12 opens /proc/self/stat
    child = os.fork()
    if child == 0:
        f(1)
        os._exit(5)
    assert os.waitpid(child, 0)[1] >> 8 == 5
print("locked in")
""".replace("CALLS", repr(CALLS))


def filters():
    """Whether the kernel has them: it then looks at the filter, which is missing."""
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.prctl(22, 2, None, 0, 0) != 0 and ctypes.get_errno() == errno.EFAULT


@unittest.skipUnless(CALLS, "the numbers of system calls are not known here")
@unittest.skipUnless(filters(), "system calls cannot be filtered here")
class Filters(AgentCase):
    def check(self, interpreter, source, first):
        done = self.run_source(interpreter, source)
        self.assertEqual((done.out, done.err), ("locked in\n", ""))
        calls = [call for call in done.calls if call.name == "__main__.f"]
        self.assertEqual(sum(call.count for call in calls), 3001)
        self.assertEqual(len([call for call in done.calls if call.name == "__main__.first"]), first)
        # memory is still measured, not an old value
        grown = calls[0].exit_rss - calls[0].enter_rss
        self.assertTrue(30 << 20 <= grown <= 40 << 20, grown)

    @on_each_interpreter()
    def test_prctl_before_the_first_call(self, interpreter):
        self.check(interpreter, SOURCE.format(first_call=""), 0)

    @on_each_interpreter()
    def test_prctl_after_the_first_call(self, interpreter):
        before = "@profile\ndef first(): pass\nfirst()"
        self.check(interpreter, SOURCE.format(first_call=before), 1)

    @on_each_interpreter()
    def test_filter_before_the_program(self, interpreter):
        """As for a service: the tracepoint is not opened."""
        self.write("inner.py", "@profile\ndef f(n): pass\nfor i in range(25000): f(i)\nprint('locked in')")
        start, _, rest = SOURCE.format(first_call="").partition("\nforbid(")
        source = start + f"\nforbid({CALLS[-1]})\nos.execv(sys.executable, [sys.executable, 'inner.py'])"
        done = self.run_source(interpreter, source)
        self.assertEqual((done.out, done.err), ("locked in\n", ""))
        self.assertEqual(sum(call.count for call in done.calls) + done.dropped, 25000)


if __name__ == "__main__":
    unittest.main()
