/* A process of 100 MiB that shares its memory with another one for a while, in the way of the first
 * argument. Each process prints `<word> <pid>` when it starts, and continues once a file `go`
 * exists. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SIZE ((size_t)100 << 20)
#define STACK_SIZE 65536

static char stacks[4][STACK_SIZE];
static char *memory;
static volatile bool is_over;

static void print_pid(const char *word)
{
    char text[64];
    int length = snprintf(text, sizeof text, "%s %d\n", word, (int)getpid());

    if (write(1, text, (size_t)length) != length) {
        _exit(3);
    }
}

static void wait_for_go(void)
{
    while (access("go", F_OK) != 0) {
        usleep(2000);
    }
}

static void execute(const char *program)
{
    execlp(program, program, "0.3", (char *)NULL);
    _exit(3);
}

static int live(void *word)
{
    print_pid(word);
    wait_for_go();
    _exit(0);
}

static int live_and_exec(void *word)
{
    print_pid(word);
    wait_for_go();
    execute("sleep");
    return 0;
}

static int vfork_again(void *word)
{
    print_pid(word);
    if (vfork() == 0) {
        print_pid("grandchild");
        wait_for_go();
        execute("true");
    }
    _exit(0);
}

static pid_t clone_one(int number, int (*function)(void *), const char *word, int flags)
{
    pid_t pid = clone(function, stacks[number] + STACK_SIZE, CLONE_VM | SIGCHLD | flags,
                      (void *)(size_t)word);

    if (pid < 0) {
        perror("clone");
        exit(3);
    }
    return pid;
}

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Another thread changes the sizes meanwhile. */
static void *change_sizes(void *unused)
{
    while (!is_over) {
        free(memset(malloc(1 << 20), 1, 1 << 20));
    }
    return unused;
}

/* Prints "late" if a recorder may take the child for a worker, which it does after 0.1 s. */
static void fork_and_exec(void)
{
    double begin_s = now_s();

    if (fork() == 0) {
        print_pid("child");
        usleep(30000);
        if (now_s() - begin_s > 0.06) {
            print_pid("late");
        }
        execute("true");
    }
    wait_for_go();
}

static void spawn_with_a_thread(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, change_sizes, NULL) != 0) {
        exit(3);
    }
    if (vfork() == 0) {
        live_and_exec((void *)(size_t) "child");
    }
    is_over = true;
    pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
    const char *way = argc > 1 ? argv[1] : "";

    memory = malloc(SIZE);
    if (!memory) {
        return 3;
    }
    memset(memory, 1, SIZE);
    if (strcmp(way, "vfork") == 0) {
        clone_one(0, live_and_exec, "child", CLONE_VFORK);
    } else if (strcmp(way, "again") == 0) {
        clone_one(0, vfork_again, "child", CLONE_VFORK);
    } else if (strcmp(way, "thread") == 0) {
        spawn_with_a_thread();
    } else if (strcmp(way, "life") == 0) {
        clone_one(0, live, "child", 0);
    } else if (strcmp(way, "sibling") == 0) {
        clone_one(0, live, "child", CLONE_PARENT);
        wait_for_go();
    } else if (strcmp(way, "orphans") == 0) {
        clone_one(0, live, "child", 0);
        clone_one(1, live, "child", 0);
        usleep(200000);
        _exit(0);
    } else if (strcmp(way, "exec") == 0) { /* the memory remains the child's */
        clone_one(0, live, "child", 0);
        usleep(200000);
        execute("sleep");
    } else if (strcmp(way, "fork") == 0) {
        fork_and_exec();
    } else {
        return 2;
    }
    while (wait(NULL) > 0) {
    }
    return memory[5] - 1;
}
