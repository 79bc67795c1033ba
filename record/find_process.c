/* Names are searched in /proc first, then in the recordings that are being written: only these know
 * how multiprocessing calls a process. */
#include "find_process.h"

#include "parse/base_name.h"
#include "parse/plain_text.h"
#include "record/kernel/pid_list.h"
#include "record/kernel/procfs.h"
#include "record/output/recorded_names.h"
#include "record/processes/process.h"
#include "record/processes/process_title.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Longest name the kernel keeps. */
#define COMM_LENGTH 15
/* Most bytes recorded of the command line of a process that mprof did not start. */
#define ARGUMENTS_MAX 32768

/* The kernel's name of a recorder. */
#define RECORDER_NAME "mprof"

/* Columns of a command line in a list of processes. */
#define WORDS_SIZE 64

typedef struct candidates {
    int64_t newest;
    uint64_t newest_ticks;
    mprof__pid_list all;
} candidates;

/* As ps(1) does it: where the kernel has cut the name, it is completed from the command line. */
static void full_name(char *name, size_t size, const char *arguments, const char *comm)
{
    const char *base = mprof__base_name(arguments);

    snprintf(name, size, "%s",
             strlen(comm) >= COMM_LENGTH && strncmp(base, comm, strlen(comm)) == 0 ? base : comm);
}

enum match { MATCH_NONE, MATCH_PART, MATCH_WHOLE };

static enum match match(const char *name, const char *hint)
{
    if (strcmp(name, hint) == 0) {
        return MATCH_WHOLE;
    }
    return strstr(name, hint) ? MATCH_PART : MATCH_NONE;
}

/* Compares the hint with the name of the process and with the title it is recorded under. */
static enum match match_process(int64_t pid, const char *comm, const char *hint)
{
    char arguments[1024] = "";
    char title[MPROF__PROCESS_NAME_SIZE];
    char name[256];
    size_t count = mprof__procfs_arguments(arguments, sizeof arguments - 1, pid);

    arguments[count] = '\0';
    full_name(name, sizeof name, arguments, comm);
    mprof__process_title(title, sizeof title, arguments, count, comm);
    enum match by_name = match(name, hint);
    enum match by_title = match(title, hint);
    return by_name > by_title ? by_name : by_title;
}

static bool has_candidate(const candidates *found, int64_t pid)
{
    for (size_t i = 0; i < found->all.count; i++) {
        if (found->all.pids[i] == pid) {
            return true;
        }
    }
    return false;
}

static mprof_status add_candidate(candidates *found, int64_t pid, uint64_t start_ticks)
{
    if (found->all.count == 0 || start_ticks >= found->newest_ticks) {
        found->newest = pid;
        found->newest_ticks = start_ticks;
    }
    return mprof__pid_list_add(&found->all, pid);
}

/* The kernel may have cut the name inside a UTF-8 character. */
static const char *trim_comm(char *comm)
{
    if (strlen(comm) == COMM_LENGTH) {
        mprof__text_trim(comm);
    }
    return comm;
}

/* "4711 (python3 serve.py), 4712 (...)"; NULL if out of memory. */
static char *list_matches(const candidates *found)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    for (size_t i = 0; stream && i < found->all.count; i++) {
        mprof__procfs_stat stat;
        char words[2 * WORDS_SIZE]; /* mprof__text_cut needs the bytes after the cut */
        size_t length = mprof__procfs_arguments(words, sizeof words - 1, found->all.pids[i]);

        for (size_t at = 0; at < length; at++) {
            words[at] = words[at] ? words[at] : ' ';
        }
        while (length > 0 && words[length - 1] == ' ') {
            length--;
        }
        words[mprof__text_cut(words, length, WORDS_SIZE - 1)] = '\0';
        if (length == 0 && mprof__procfs_stat_read(&stat, found->all.pids[i]) == 0) {
            snprintf(words, sizeof words, "[%s]", trim_comm(stat.comm));
        }
        fprintf(stream, "%s%lld (%s)", i ? ", " : "", (long long)found->all.pids[i], words);
    }
    if (stream && fclose(stream) != 0) {
        free(text);
        text = NULL;
    }
    return text;
}

static mprof_status choose(int64_t *pid, const candidates *found, const char *hint, bool newest,
                           char **matches, mprof_error *error)
{
    if (found->all.count == 0) {
        return mprof_error_set(error, MPROF_ENOTFOUND,
                               "no process named like '%s'; ps -e lists all", hint);
    }
    if (found->all.count > 1 && !newest) {
        *matches = list_matches(found);
        return mprof_error_set(error, MPROF_ENOTFOUND,
                               "%zu processes are named like '%s'; give the pid of one, or use "
                               "--newest",
                               found->all.count, hint);
    }
    *pid = found->newest;
    return MPROF_OK;
}

/* ---- names in recordings ---- */

typedef struct recorded {
    const char *hint;
    mprof__pid_list exact;
    mprof__pid_list partly;
    mprof_status status;
} recorded;

static void remove_pid(mprof__pid_list *list, int64_t pid)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (list->pids[i] != pid) {
            list->pids[kept++] = list->pids[i];
        }
    }
    list->count = kept;
}

/* The last name of a process counts. */
static void match_recorded_name(void *data, int64_t pid, const char *name)
{
    recorded *found = data;
    enum match how = name ? match(name, found->hint) : MATCH_NONE;

    remove_pid(&found->exact, pid);
    remove_pid(&found->partly, pid);
    if (how != MATCH_NONE && found->status == MPROF_OK) {
        found->status =
            mprof__pid_list_add(how == MATCH_WHOLE ? &found->exact : &found->partly, pid);
    }
}

static mprof_status add_running(candidates *found, const mprof__pid_list *list)
{
    mprof_status status = MPROF_OK;

    for (size_t i = 0; status == MPROF_OK && i < list->count; i++) {
        mprof__procfs_stat stat;

        if (!has_candidate(found, list->pids[i]) &&
            mprof__procfs_stat_read(&stat, list->pids[i]) == 0 && stat.state != 'Z') {
            status = add_candidate(found, list->pids[i], stat.start_ticks);
        }
    }
    return status;
}

static mprof_status search_recordings(const char *hint, const mprof__pid_list *all,
                                      candidates *exact, candidates *partly)
{
    recorded found = {hint, {0}, {0}, MPROF_OK};
    mprof_status status;

    for (size_t i = 0; i < all->count; i++) {
        mprof__procfs_stat stat;

        if (all->pids[i] != getpid() && mprof__procfs_stat_read(&stat, all->pids[i]) == 0 &&
            strcmp(stat.comm, RECORDER_NAME) == 0) {
            mprof__recorded_names_read(all->pids[i], match_recorded_name, &found);
        }
    }
    status = found.status;
    if (status == MPROF_OK) {
        status = add_running(exact, &found.exact);
    }
    if (status == MPROF_OK) {
        status = add_running(partly, &found.partly);
    }
    mprof__pid_list_free(&found.exact);
    mprof__pid_list_free(&found.partly);
    return status;
}

static mprof_status find_named(int64_t *pid, const char *hint, bool newest, char **matches,
                               mprof_error *error)
{
    candidates exact = {0};
    candidates partly = {0};
    mprof__pid_list all = {0};
    mprof_status status = mprof__pid_list_add_all(&all);

    if (status == MPROF_EIO) {
        return mprof_error_set_errno(error, errno, "cannot search /proc");
    }
    for (size_t i = 0; status == MPROF_OK && i < all.count; i++) {
        mprof__procfs_stat stat;

        if (all.pids[i] == getpid() || mprof__procfs_stat_read(&stat, all.pids[i]) != 0 ||
            stat.state == 'Z') {
            continue;
        }
        enum match found = match_process(all.pids[i], stat.comm, hint);
        if (found != MATCH_NONE) {
            status = add_candidate(found == MATCH_WHOLE ? &exact : &partly, all.pids[i],
                                   stat.start_ticks);
        }
    }
    if (status == MPROF_OK && exact.all.count == 0) {
        status = search_recordings(hint, &all, &exact, &partly);
    }
    mprof__pid_list_free(&all);
    status = status == MPROF_OK
                 ? choose(pid, exact.all.count > 0 ? &exact : &partly, hint, newest, matches, error)
                 : mprof_error_set(error, status, "out of memory");
    mprof__pid_list_free(&exact.all);
    mprof__pid_list_free(&partly.all);
    return status;
}

mprof_status mprof__find_process(int64_t *pid, const char *hint, bool newest, char **matches,
                                 mprof_error *error)
{
    mprof__procfs_stat stat;
    char *end;

    *matches = NULL;
    if (hint[0] == '\0' || hint[strspn(hint, "0123456789")] != '\0') {
        return hint[0] ? find_named(pid, hint, newest, matches, error)
                       : mprof_error_set(error, MPROF_EARGUMENT,
                                         "the name is empty; give a pid or a name");
    }
    errno = 0;
    *pid = strtoll(hint, &end, 10);
    if (errno != 0 || *pid <= 0 || *pid > INT32_MAX || mprof__procfs_stat_read(&stat, *pid) != 0) {
        return mprof_error_set(error, MPROF_ENOTFOUND, "no process with pid %s", hint);
    }
    if (stat.state == 'Z') {
        return mprof_error_set(error, MPROF_ENOTFOUND, "process %s has ended already", hint);
    }
    return MPROF_OK;
}

mprof_status mprof__process_arguments(char ***argv, size_t *argc, int64_t pid, mprof_error *error)
{
    mprof__procfs_stat stat;
    char *block = malloc(ARGUMENTS_MAX);
    size_t count = block ? mprof__procfs_arguments(block, ARGUMENTS_MAX, pid) : 0;
    size_t words = 0;
    char **list;

    *argv = NULL;
    *argc = 0;
    if (block && count == 0) {
        const char *comm = mprof__procfs_stat_read(&stat, pid) == 0 ? trim_comm(stat.comm) : "?";

        count = (size_t)snprintf(block, ARGUMENTS_MAX, "[%s]", comm) + 1;
    }
    if (count > 0 && count < ARGUMENTS_MAX && block[count - 1] != '\0') {
        block[count++] = '\0'; /* a process that wrote its own title may have left no NUL */
    }
    for (size_t i = 0; i < count; i++) {
        words += block[i] == '\0';
    }
    list = block ? malloc((words + 1) * sizeof *list + count) : NULL;
    if (!list) {
        free(block);
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    char *text = memcpy((char *)(list + words + 1), block, count);
    for (size_t i = 0; i < words; i++) {
        list[i] = text;
        text += strlen(text) + 1;
    }
    list[words] = NULL;
    free(block);
    *argv = list;
    *argc = words;
    return MPROF_OK;
}
