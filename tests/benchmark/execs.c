/* bench-execs PAIRS SHIM RINGS COMMAND ARGUMENT...: runs the command in turns within a recording,
 * that is with the shim preloaded, and outside of any, and prints the CPU time that each pair has
 * used, the processes it waited for included: "<within us> <outside us>" a line. Which of the two
 * goes first changes from pair to pair. The command is named by its path. */
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

/* Ends the program where the command cannot be run or fails. */
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

static char **environment_within(const char *shim, const char *rings)
{
    size_t count = 0;
    while (environ[count]) {
        count++;
    }
    char **within = calloc(count + 3, sizeof *within);
    if (!within || asprintf(&within[count], "LD_PRELOAD=%s", shim) < 0 ||
        asprintf(&within[count + 1], "MPROF_RINGS=%s", rings) < 0) {
        exit(1);
    }
    memcpy(within, environ, count * sizeof *within);
    return within;
}

int main(int argc, char **argv)
{
    posix_spawn_file_actions_t actions;
    if (argc < 5) {
        fprintf(stderr, "usage: bench-execs PAIRS SHIM RINGS COMMAND [ARGUMENT...]\n");
        return 2;
    }
    char **within = environment_within(argv[2], argv[3]);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    for (int i = -1; i < atoi(argv[1]); i++) {
        long long ours = 0;
        if (i % 2 == 0) {
            ours = cpu_us(argv + 4, within, &actions);
        }
        long long plain = cpu_us(argv + 4, environ, &actions);
        if (i % 2 != 0) {
            ours = cpu_us(argv + 4, within, &actions);
        }
        if (i >= 0) { /* the first pair warms the caches */
            printf("%lld %lld\n", ours, plain);
        }
    }
    return 0;
}
