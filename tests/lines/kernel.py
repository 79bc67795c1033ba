"""A Jupyter kernel with our package, used by its messages as a notebook does."""

import os
import pathlib
import queue
import re
import shutil
import sys
import tempfile

import pythons

# Colours of a traceback.
COLOURS = re.compile(r"\x1b\[[\d;]*m")


class Answer:
    """What a cell printed, showed and returned."""

    def __init__(self):
        self.out, self.err = "", ""
        self.shown = []       # bundles of MIME types that were displayed, in order
        self.result = None    # the bundle of the last expression
        self.error = None     # (name, text, traceback without colours)
        self.status = None
        self.paged = ""

    @property
    def text(self):
        """All of it as text."""
        parts = [self.out, self.err, *(bundle.get("text/plain", "") for bundle in self.shown)]
        parts += [self.result["text/plain"]] if self.result else []
        parts += ["\n".join(self.error[2]) + self.error[0]] if self.error else []
        return "".join(parts) + self.paged


class Kernel:
    def __init__(self, **environment):
        from jupyter_client.manager import KernelManager
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="mprof-kernel-"))
        (self.directory / "tmp").mkdir()
        variables = pythons.environment(
            IPYTHONDIR=str(self.directory / "ipython"), MALLOC_MMAP_THRESHOLD_="1048576",
            JUPYTER_RUNTIME_DIR=str(self.directory / "runtime"),
            JUPYTER_DATA_DIR=str(self.directory / "data"), TMPDIR=str(self.directory / "tmp"), **environment)
        connection = self.directory / "connection.json"
        self.manager = KernelManager(connection_file=str(connection))
        self.manager.kernel_spec.argv[:] = [sys.executable, "-Xfrozen_modules=off", "-m",
                                            "ipykernel_launcher", "-f", "{connection_file}"]
        with open(os.devnull, "w") as sink:
            self.manager.start_kernel(cwd=str(self.directory), env=variables, stderr=sink)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=180)

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def pid(self):
        return int(self.run("import os; print(os.getpid())").out)

    def ask(self, cell):
        """Sends a cell; finish() gets its answer."""
        # otherwise the kernel drops what arrives soon after an error
        return self.client.execute(cell, stop_on_error=False)

    def finish(self, asked, on_output=None):
        answer = Answer()
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=180)
            except queue.Empty:
                raise AssertionError("the kernel does not answer") from None
            if message["parent_header"].get("msg_id") != asked:
                continue
            content, kind = message["content"], message["msg_type"]
            if kind == "stream":
                if content["name"] == "stdout":
                    answer.out += content["text"]
                else:
                    answer.err += content["text"]
                if on_output:
                    on_output(content["text"])
            elif kind == "error":
                answer.error = (content["ename"], content["evalue"],
                                [COLOURS.sub("", line) for line in content["traceback"]])
            elif kind == "display_data":
                answer.shown.append(content["data"])
            elif kind == "execute_result":
                answer.result = content["data"]
            elif kind == "status" and content["execution_state"] == "idle":
                break
        reply = self.client.get_shell_msg(timeout=180)
        while reply["parent_header"].get("msg_id") != asked:
            reply = self.client.get_shell_msg(timeout=180)
        answer.status = reply["content"]["status"]
        answer.paged = "".join(part["data"]["text/plain"] for part in reply["content"].get("payload", [])
                               if part.get("source") == "page")
        return answer

    def run(self, cell):
        return self.finish(self.ask(cell))
