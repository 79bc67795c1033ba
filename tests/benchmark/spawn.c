/* bench-spawn COMMAND ARGUMENT...: runs the command without output and prints the resources of it
 * and its waited-for children: "<exit code> <user us> <system us> <wall us> <peak RSS KiB>". A
 * child of an interpreter would inherit the interpreter's peak RSS across exec(2); this program has
 * almost none. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long microseconds(struct timeval time)
{
    return (long long)time.tv_sec * 1000000 + time.tv_usec;
}

static long long now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (long long)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static int run_child(char **argv)
{
    int null = open("/dev/null", O_WRONLY);
    if (null < 0 || dup2(null, STDOUT_FILENO) < 0) {
        return 125;
    }
    execvp(argv[0], argv);
    perror(argv[0]);
    return 127;
}

int main(int argc, char **argv)
{
    struct rusage usage;
    int status;
    if (argc < 2) {
        fprintf(stderr, "usage: bench-spawn COMMAND [ARGUMENT...]\n");
        return 2;
    }
    long long start = now_us();
    pid_t pid = fork();
    if (pid == 0) {
        _exit(run_child(argv + 1));
    }
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) {
        perror("bench-spawn");
        return 2;
    }
    long long wall = now_us() - start;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    printf("%d %lld %lld %lld %ld\n", code, microseconds(usage.ru_utime),
           microseconds(usage.ru_stime), wall, usage.ru_maxrss);
    return 0;
}
