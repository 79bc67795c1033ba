/* bench-execs PAIRS SHIM RINGS COMMAND ARGUMENT...: runs the command in turn inside a recording,
 * that is with the shim preloaded, and outside, and prints the CPU time of each pair, with
 * waited-for children:
 * "<inside us> <outside us>" per line. The order alternates. COMMAND is a path. */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static long long microseconds(struct timeval time)
{
    return (long long)time.tv_sec * 1000000 + time.tv_usec;
}

/* Exits if the command cannot be run or fails. */
static long long cpu_us(char **argv, char **environment, const posix_spawn_file_actions_t *actions)
{
    struct rusage usage;
    pid_t pid;
    int status;
    if (posix_spawn(&pid, argv[0], actions, NULL, argv, environment) != 0 ||
        wait4(pid, &status, 0, &usage) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "bench-execs: %s does not run\n", argv[0]);
        exit(1);
    }
    return microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
}

static char **environment_inside(const char *shim, const char *rings)
{
    size_t count = 0;
    while (environ[count]) {
        count++;
    }
    char **inside = calloc(count + 3, sizeof *inside);
    if (!inside || asprintf(&inside[count], "LD_PRELOAD=%s", shim) < 0 ||
        asprintf(&inside[count + 1], "MPROF_RINGS=%s", rings) < 0) {
        exit(1);
    }
    memcpy(inside, environ, count * sizeof *inside);
    return inside;
}

int main(int argc, char **argv)
{
    posix_spawn_file_actions_t actions;
    if (argc < 5) {
        fprintf(stderr, "usage: bench-execs PAIRS SHIM RINGS COMMAND [ARGUMENT...]\n");
        return 2;
    }
    char **inside = environment_inside(argv[2], argv[3]);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    for (int i = -1; i < atoi(argv[1]); i++) {
        long long ours = 0;
        if (i % 2 == 0) {
            ours = cpu_us(argv + 4, inside, &actions);
        }
        long long plain = cpu_us(argv + 4, environ, &actions);
        if (i % 2 != 0) {
            ours = cpu_us(argv + 4, inside, &actions);
        }
        if (i >= 0) { /* the first pair warms the caches */
            printf("%lld %lld\n", ours, plain);
        }
    }
    return 0;
}
