"""Launchers: the rank in the name of a recording, many recorders at once, and each snippet of docs/fleet.md, run by Debian's
Open MPI, by a Slurm that the test starts for itself, and by dask."""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import textwrap
import unittest
import urllib.parse
import urllib.request

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import DEADLINE_S, MPROF, SOURCE, Recording, TestCase, is_sanitized, own_line, wait_until  # noqa: E402

DOCUMENT = (SOURCE / "docs" / "fleet.md").read_text()
SNIPPETS = {test: (name, text) for name, test, text in re.findall(
    r"<!-- file: (\S+), test: (\w+) -->\n```\w+\n(.*?)```\n", DOCUMENT, re.S)}

LAUNCHED = re.compile(r"^(OMPI|PMIX|PMI|SLURM|PBS|LSB|FLUX|MV2|KUBERNETES|JOB_|RANK|WORLD_SIZE|POD_NAME|SGE)")


def needs(*programs):
    missing = [program for program in programs if not shutil.which(program)]
    return unittest.skipIf(missing, f"{', '.join(missing)} is not installed")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class FleetCase(TestCase):
    def environment(self, **changes):
        plain = {key: value for key, value in super().environment().items() if not LAUNCHED.match(key)}
        plain["PATH"] = f"{pathlib.Path(MPROF).parent}:{os.environ['PATH']}"
        return {**plain, **changes}

    def simulate(self, seconds=0.3):
        """A program that needs 20 MiB for a moment."""
        path = self.directory / "simulate"
        path.write_text(f"#!/bin/sh\nsleep {seconds}\n")
        path.chmod(0o755)

    def shell(self, script, expect=0, **environment):
        done = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", script], cwd=self.directory, capture_output=True,
                              text=True, env=self.environment(**environment), timeout=DEADLINE_S)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout + done.stderr


class Names(FleetCase):
    VALUES = {"OMPI_COMM_WORLD_RANK": "3", "PMIX_RANK": "3", "PMI_RANK": "3", "SLURM_PROCID": "3",
              "MV2_COMM_WORLD_RANK": "3", "FLUX_TASK_RANK": "3", "JOB_COMPLETION_INDEX": "3"}

    def name_of(self, pattern, **environment):
        for old in self.directory.iterdir():
            old.unlink()
        self.run_mprof("run", "-q", "-o", pattern, "true", env=self.environment(**environment))
        (path,) = self.directory.iterdir()
        return path.name

    def test_ranks_of_all_launchers(self):
        for variable, rank in self.VALUES.items():
            with self.subTest(variable=variable):
                self.assertEqual(self.name_of("x-%r.dat", **{variable: rank}), "x-3.dat")
                self.assertEqual(Recording(self.directory / "x-3.dat").facts["rank"], "3")

    def test_mpirun_in_a_batch_script_of_slurm(self):
        self.assertEqual(self.name_of("%r", SLURM_PROCID="0", PMIX_RANK="5"), "5")

    def test_all_letters(self):
        host = socket.gethostname()
        name = self.name_of("%h_%r_%j_%n_%%_%t", SLURM_PROCID="1", SLURM_JOB_ID="77", POD_NAME="web/0 a")
        self.assertRegex(name, rf"\A{re.escape(host)}_1_77_web_0_a_%_\d{{14}}\Z")
        self.assertRegex(self.name_of("%p"), r"\A\d+\Z")
        facts = Recording(self.directory / os.listdir(self.directory)[0]).facts
        self.assertFalse({"rank", "job", "pod"} & set(facts))

    def test_without_a_launcher_names_are_unique(self):
        self.assertRegex(self.name_of("x-%r-%j.dat"), r"\Ax-p\d+-local\.dat\Z")

    def test_unknown_letters_are_refused_before_anything_starts(self):
        for pattern in ("a%b.dat", "a%", "%", "%-r", "%R"):
            with self.subTest(pattern=pattern):
                done = self.run_mprof("run", "-o", pattern, "touch", "started", expect=2)
                self.assertEqual(done.stderr.count("\n"), 1)
                self.assertIn("--output: '%", done.stderr)
                self.assertEqual(os.listdir(self.directory), [])

    def test_recorders_with_one_name_get_files_of_their_own(self):
        recorders = [self.start_mprof("run", "-o", "job.dat", "sleep", "1", env=self.environment(PMI_RANK=str(rank)))
                     for rank in range(6)]
        for recorder in recorders:
            self.assertEqual(self.wait_for_end(recorder), 0)
        found = sorted(path.name for path in self.directory.glob("job*.dat*"))
        self.assertEqual(len(found), 6, found)
        self.assertIn("job.dat", found)
        self.assertFalse([name for name in found if name.endswith(".old")])
        ranks = {Recording(self.directory / name).facts["rank"] for name in found}
        self.assertEqual(ranks, {str(rank) for rank in range(6)})
        said = [self.output(recorder) for recorder in recorders]
        self.assertEqual(sum("is being recorded by another process" in text for text in said), 5)

    def test_a_finished_recording_of_another_rank_is_not_replaced(self):
        for end in (".dat", ".dat.zst"):
            with self.subTest(end=end):
                found = {f"job{end}": "0", f"job.1{end}": "1", f"job.2{end}": "2"}
                for again in range(2):
                    for rank in range(3):
                        self.run_mprof("run", "-q", "-o", f"job{end}", "true", env=self.environment(PMI_RANK=str(rank)))
                    kept = {f"{name}.old" for name in found} if again else set()
                    self.assertEqual(set(os.listdir(self.directory)), set(found) | kept)
                merged = self.run_mprof("merge", *found, "-o", "all.dat")
                self.assertNotIn("has rank", merged.stderr)
                ranks = {fields["file"]: fields["rank"] for fields in (
                    dict(field.split("=", 1) for field in record[5:])
                    for record in Recording(self.directory / "all.dat").records("RANK"))}
                self.assertEqual(ranks, found)
                for path in self.directory.iterdir():
                    path.unlink()
        first, second = (self.run_mprof("run", "-o", "job.dat", "true", env=self.environment(PMI_RANK=rank))
                         for rank in "01")
        self.assertNotIn("into", first.stderr)
        self.assertIn("into job.1.dat, since job.dat is a recording of another rank", second.stdout + second.stderr)

    def test_a_finished_recording_is_kept_as_before(self):
        for _ in range(2):
            self.run_mprof("run", "-o", "job.dat", "true")
        self.assertEqual(sorted(os.listdir(self.directory)), ["job.dat", "job.dat.old"])


class Snippets(FleetCase):
    def put(self, test):
        name, text = SNIPPETS[test]
        (self.directory / name).write_text(text)
        return text

    def test_every_snippet_has_a_test(self):
        tests = {name[len("test_"):] for name in dir(self) if name.startswith("test_")}
        self.assertLessEqual(set(SNIPPETS), tests)
        blocks = re.findall(r"^```(\w+)$", DOCUMENT, re.M)
        unnamed = [part for part in re.findall(r"(?<!-->\n)```(\w+)\n.*?```", DOCUMENT, re.S) if part]
        self.assertEqual(len(blocks), len(SNIPPETS) + len(unnamed))

    def test_logs(self):
        for rank, rss in enumerate((1024, 2048)):
            folder = self.directory / f"rank{rank}"
            folder.mkdir()
            rows = "".join(f"{1795330000 + 2 * i}\t{2 * i}\t512\t{rss * (i + 1)}\t0\n" for i in range(4))
            (folder / "prmon.txt").write_text("Time\twtime\tpss\trss\tswap\n" + rows)
        said = self.shell(SNIPPETS["logs"][1])
        self.assertIn("job.dat.zst\t2 ranks, peak 12.000 MiB, sum of peaks 12.000 MiB", said)
        self.assertTrue((self.directory / "job.svg").exists())
        self.assertEqual((self.directory / "job.dat.zst").read_bytes()[:4], b"\x28\xb5\x2f\xfd")

    @needs("mpirun")
    def test_mpi(self):
        self.simulate()
        (self.directory / "folder").mkdir()
        script = self.put("mpi")
        options = "--oversubscribe" + (" --allow-run-as-root" if os.geteuid() == 0 else "")
        self.assertIn("mpirun -n 8", script)
        said = self.shell(script.replace("mpirun", f"mpirun {options}"))
        self.assertIn("8 ranks on 1 host, peak", said)
        host = socket.gethostname()
        self.assertEqual({path.name for path in self.directory.glob("job-*.dat")},
                         {f"job-{host}-{rank}.dat" for rank in range(8)})
        merged = Recording(self.directory / "job.dat")
        ranks = [dict(field.split("=", 1) for field in record[5:]) for record in merged.records("RANK")]
        self.assertEqual([rank["rank"] for rank in ranks], [str(rank) for rank in range(8)])
        self.assertEqual({rank["host"] for rank in ranks}, {host})
        self.assertEqual(len({pid for pid, *_ in merged.exits.items()} & {int(rank["pid"]) for rank in ranks}), 8)
        self.assertEqual(len({Recording(p).facts["job"] for p in self.directory.glob("job-*.dat")}), 1)

    @needs("mpirun")
    def test_mpi_into_one_folder_without_names(self):
        options = ["--oversubscribe"] + (["--allow-run-as-root"] if os.geteuid() == 0 else [])
        subprocess.run(["mpirun", *options, "-n", "8", MPROF, "run", "-q", "sleep", "0.3"], cwd=self.directory,
                       env=self.environment(), check=True, timeout=DEADLINE_S, capture_output=True)
        self.assertEqual(len(self.recordings()), 8)
        self.assertEqual({Recording(path).facts["rank"] for path in self.recordings()}, {str(r) for r in range(8)})

    def start_slurm(self):
        """A controller and one node for this test alone; returns the path of its configuration."""
        if os.geteuid() != 0:
            self.skipTest("needs root")
        home = pathlib.Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))  # a socket's path must be short
        self.addCleanup(shutil.rmtree, home, ignore_errors=True)
        host = socket.gethostname().split(".")[0]
        for folder in ("state", "spool", "run"):
            (home / folder).mkdir()
        (home / "key").write_bytes(os.urandom(1024))
        (home / "key").chmod(0o600)
        (home / "slurm.conf").write_text(textwrap.dedent(f"""\
            ClusterName=test
            SlurmctldHost={host}(127.0.0.1)
            SlurmUser=root
            AuthType=auth/munge
            CredType=cred/munge
            AuthInfo=socket={home}/run/munge
            StateSaveLocation={home}/state
            SlurmdSpoolDir={home}/spool
            SlurmctldPidFile={home}/run/slurmctld.pid
            SlurmdPidFile={home}/run/slurmd.pid
            SlurmctldPort={free_port()}
            SlurmdPort={free_port()}
            ProctrackType=proctrack/linuxproc
            TaskPlugin=task/none
            SelectType=select/cons_tres
            SelectTypeParameters=CR_Core
            ReturnToService=2
            MpiDefault=none
            AccountingStorageType=accounting_storage/none
            JobAcctGatherType=jobacct_gather/none
            NodeName={host} NodeAddr=127.0.0.1 CPUs={os.cpu_count()} State=UNKNOWN
            PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:8
            """))
        self.start("munged", "--foreground", "--force", f"--key-file={home}/key", f"--socket={home}/run/munge",
                   f"--pid-file={home}/run/munged.pid", f"--log-file={home}/munged.log", f"--seed-file={home}/seed")
        wait_until((home / "run" / "munge").exists, "munged")
        daemons = [self.start(name, "-D", "-f", home / "slurm.conf") for name in ("slurmctld", "slurmd")]
        environment = self.environment(SLURM_CONF=str(home / "slurm.conf"))

        def is_idle():
            done = subprocess.run(["sinfo", "-h", "-o", "%T"], capture_output=True, text=True, env=environment,
                                  timeout=DEADLINE_S, check=False)
            if any(daemon.poll() is not None for daemon in daemons):
                self.fail("".join(self.output(daemon) for daemon in daemons))
            return done.stdout.strip() == "idle"
        wait_until(is_idle, "an idle node")
        return str(home / "slurm.conf")

    @needs("slurmctld", "slurmd", "munged", "srun")
    def test_slurm(self):
        configuration = self.start_slurm()
        self.simulate()
        script = self.put("slurm").replace("srun ", "srun --overcommit ")  # one node may have fewer processors
        (self.directory / "job.sbatch").write_text(script.replace("--ntasks=4", "--ntasks=4 --overcommit"))
        self.shell("sbatch --wait job.sbatch", SLURM_CONF=configuration)
        said = "".join(path.read_text() for path in self.directory.glob("slurm-*.out"))
        (job,) = self.directory.glob("job-*.dat")
        self.assertIn("4 ranks on 1 host, peak", said)
        number = job.stem.split("-")[1]
        self.assertEqual({path.name for path in self.directory.glob("rank-*.dat")},
                         {f"rank-{number}-{socket.gethostname()}-{rank}.dat" for rank in range(4)})
        self.assertEqual(Recording(job).facts["job"], number)

    def test_kubernetes(self):
        job = yaml.safe_load(self.put("kubernetes"))
        pod = job["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        volumes = {volume["name"] for volume in pod["volumes"]}
        mounts = container["volumeMounts"] + pod["initContainers"][0]["volumeMounts"]
        self.assertLessEqual({mount["name"] for mount in mounts}, volumes)
        self.simulate()
        places = {"/mprof/bin/mprof": MPROF, "/recordings": str(self.directory)}
        command = [re.sub("|".join(places), lambda match: places[match[0]], word) for word in container["command"]]
        for index in range(2):
            environment = {variable["name"]: f"simulate-{index}-abcde" for variable in container["env"]}
            subprocess.run(command, cwd=self.directory, check=True, timeout=DEADLINE_S,
                           env=self.environment(JOB_COMPLETION_INDEX=str(index), **environment))
        done = self.run_mprof("merge", ".", "-o", "job.dat", env=self.environment())
        self.assertIn("2 ranks on 1 host", done.stdout)
        self.assertTrue((self.directory / "simulate-1-abcde.dat").exists())
        (self.directory / "simulate").write_text("#!/bin/sh\nexit 7\n")
        self.assertEqual(subprocess.run(command, cwd=self.directory, check=False, timeout=DEADLINE_S,
                                        env=self.environment()).returncode, 7)

    def recorded_job(self):
        """Two ranks on two hosts, with a call each second for two minutes."""
        for rank in range(2):
            lines = [own_line("FACT", "host", f"node{rank}"), own_line("FACT", "rank", rank),
                     own_line("FACT", "pid", "100"), own_line("FACT", "format", "2"),
                     own_line("FACT", "include-children", "no"), own_line("FACT", "interval", "1")]
            for second in range(120):
                at = 1700000000 + second
                lines += [f"MEM {100 + 10 * rank + second}.000000 {at}.0000\n",
                          f"FUNC app.step 100.000000 {at}.100000 100.000000 {at}.600000 0\n"]
            (self.directory / f"rank{rank}.dat").write_text("CMDLINE simulate\n" + "".join(lines))
        self.run_mprof("merge", "rank0.dat", "rank1.dat", "-o", "job.dat", env=self.environment())
        return 1700000119

    def start_prometheus(self, script):
        """Runs the snippet on another port; returns a function that asks the server."""
        address = f"127.0.0.1:{free_port()}"
        server = subprocess.Popen(["bash", "-c", script.replace("127.0.0.1:9090", address).replace("\nprometheus", "\nexec prometheus")],
                                  cwd=self.directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)

        def ask(path, **parameters):
            try:
                with urllib.request.urlopen(f"http://{address}{path}?{urllib.parse.urlencode(parameters)}") as answer:
                    return answer.read()
            except OSError:
                return None
        wait_until(lambda: ask("/-/ready"), "Prometheus is ready")
        return lambda expression, at: json.loads(ask("/api/v1/query", query=expression, time=at))["data"]["result"]

    @needs("promtool", "prometheus")
    def test_backfill(self):
        end = self.recorded_job()
        self.shell(self.put("backfill"))
        query = self.start_prometheus(SNIPPETS["look"][1])
        section = DOCUMENT.partition("## Prometheus and Grafana")[2]
        panels = {panel.strip(): re.findall("`([^`]+)`", cell) for panel, cell in
                  re.findall(r"^\| ([^|]+) \| (`.*`) \|$", section, re.M)}
        self.assertGreater(len(panels), 6)
        found = {panel: [query(expression, end) for expression in expressions]
                 for panel, expressions in panels.items()}
        for panel, results in found.items():
            self.assertTrue(all(results), panel)

        def values(panel, label):
            return {item["metric"].get(label): float(item["value"][1]) for item in found[panel][0]}
        mib = 1 << 20
        self.assertEqual(values("memory of the job", "recording"), {"job.dat": (219 + 229) * mib})
        self.assertEqual(values("memory of each host", "host"), {"node0": 219 * mib, "node1": 229 * mib})
        self.assertEqual([float(result[0]["value"][1]) for result in found["band over ranks: lowest, mean, highest"]],
                         [219 * mib, 224 * mib, 229 * mib])
        self.assertEqual(values("the peak of each recording", "recording"), {"job.dat": 448 * mib})
        self.assertAlmostEqual(values("growth in bytes per second", "recording")["job.dat"], 2 * mib, delta=1000)
        self.assertAlmostEqual(values("calls per second of each function", "function")["app.step"], 2, delta=0.1)
        self.assertAlmostEqual(values("share of time in each function", "function")["app.step"], 1, delta=0.05)

    @needs("prometheus")
    def test_look(self):
        self.start_prometheus(self.put("look"))

    def test_textfile(self):
        (self.directory / "metrics").mkdir()
        (self.directory / "simulate").write_text("#!/bin/sh\nls metrics > seen\nsleep 0.3\nls metrics > seen\n")
        (self.directory / "simulate").chmod(0o755)
        self.shell(self.put("textfile").replace("/var/lib/prometheus/node-exporter", "metrics"))
        self.assertRegex((self.directory / "seen").read_text(), r"^mprof-\S+\.prom\n$")
        self.assertEqual(os.listdir(self.directory / "metrics"), [])

    @needs("dask-worker")
    @unittest.skipIf(is_sanitized(), "the agent is loaded into a Python without sanitizers")
    def test_dask(self):
        port = free_port()
        (self.directory / "tasks.py").write_text(textwrap.dedent("""\
            import sys
            from distributed import Client
            client = Client(sys.argv[1] if sys.argv[1:] else "tcp://127.0.0.1:8786", timeout=60)
            client.wait_for_workers(2)
            assert sum(client.gather(client.map(lambda i: len(bytearray(i << 20)), range(20)))) == sum(range(20)) << 20
            client.shutdown()
            """))
        self.shell(self.put("dask").replace("8786", str(port)).replace("tasks.py", f"tasks.py tcp://127.0.0.1:{port}")
                   .replace("python3", sys.executable))
        merged = Recording(self.directory / "job.dat")
        self.assertEqual(len(merged.records("RANK")), 2)
        self.assertGreater(max(merged.mem)[0], 20)


class Commands(FleetCase):
    def test_the_commands_about_merging(self):
        script = re.search(r"```sh\n(.*?)```", DOCUMENT, re.S)[1]
        for rank in range(3):
            self.run_mprof("run", "-q", "-o", f"rank{rank}.dat", "sleep", "0.2", env=self.environment(PMI_RANK=str(rank)))
        said = self.shell(script)
        self.assertIn("3 ranks on 1 host", said)
        self.assertTrue((self.directory / "job.svg").exists())


if __name__ == "__main__":
    unittest.main()
