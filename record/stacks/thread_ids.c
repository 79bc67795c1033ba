/* From 3.11 on a thread state holds gettid(2), in the process's own pid namespace, and after a fork
 * perhaps the parent's. Before, only pthread_self(3): the C library keeps the number at a place in
 * that structure that the main thread gives away, whose number is the pid. */
#include "thread_ids.h"

#include "record/kernel/procfs.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATUS_BYTES 4096
/* The number is within the first bytes of struct pthread: 720 in glibc, 56 in musl. */
#define PTHREAD_BYTES 1024

/* The last number of the line "NSpid:", that of the innermost namespace; 0: not there. */
static int64_t innermost_number(const char *path)
{
    char text[STATUS_BYTES];

    if (mprof__procfs_text(text, sizeof text, path) <= 0) {
        return 0;
    }
    const char *at = strstr(text, "\nNSpid:");
    int64_t number = 0;
    if (at) {
        char *end;

        for (at += strlen("\nNSpid:"); *at == '\t' || *at == ' '; at = end) {
            number = strtoll(at, &end, 10);
            if (end == at) {
                break;
            }
        }
    }
    return number;
}

static int64_t inner_pid(mprof__thread_ids *ids)
{
    char path[64];

    if (ids->inner_pid == 0) {
        snprintf(path, sizeof path, "/proc/%lld/status", (long long)ids->pid);
        int64_t number = innermost_number(path);
        ids->inner_pid = number > 0 ? number : ids->pid;
    }
    return ids->inner_pid;
}

/* Our number of the thread that has this number in its own namespace. */
static int64_t translate(mprof__thread_ids *ids, int64_t inner)
{
    char path[96];
    int64_t found = 0;

    if (inner <= 0) {
        return 0;
    }
    if (inner_pid(ids) == ids->pid) {
        snprintf(path, sizeof path, "/proc/%lld/task/%lld", (long long)ids->pid, (long long)inner);
        return access(path, F_OK) == 0 ? inner : 0;
    }
    if (inner == ids->inner_pid) {
        return ids->pid;
    }
    snprintf(path, sizeof path, "/proc/%lld/task", (long long)ids->pid);
    DIR *directory = opendir(path);
    const struct dirent *entry;
    while (directory && found == 0 && (entry = readdir(directory))) {
        int64_t number = strtoll(entry->d_name, NULL, 10);

        if (number > 0) {
            snprintf(path, sizeof path, "/proc/%lld/task/%lld/status", (long long)ids->pid,
                     (long long)number);
            found = innermost_number(path) == inner ? number : 0;
        }
    }
    if (directory) {
        closedir(directory);
    }
    return found;
}

/* Finds the offset in the main thread's structure. False: this is another thread. */
static bool find_offset(mprof__thread_ids *ids, uint64_t pthread)
{
    unsigned char bytes[PTHREAD_BYTES];
    int32_t wanted = (int32_t)inner_pid(ids);

    if (!mprof__target_memory_read(&ids->memory, pthread, bytes, sizeof bytes)) {
        return false;
    }
    for (uint32_t at = 0; at + 4 <= sizeof bytes; at += 4) {
        int32_t number;

        memcpy(&number, bytes + at, sizeof number);
        if (number == wanted) {
            ids->id_offset = at;
            return true;
        }
    }
    return false;
}

static int64_t number_of_pthread(mprof__thread_ids *ids, uint64_t pthread,
                                 const mprof__thread_states *all)
{
    int32_t number = 0;

    for (size_t i = all->count; i > 0 && ids->id_offset == 0; i--) { /* the main thread is last */
        (void)find_offset(ids, all->items[i - 1].thread_id);
    }
    if (ids->id_offset == 0) {
        return 0;
    }
    return mprof__target_memory_read(&ids->memory, pthread + ids->id_offset, &number, sizeof number)
               ? number
               : 0;
}

int64_t mprof__thread_id_find(mprof__thread_ids *ids, const mprof__thread_state *state,
                              const mprof__thread_states *all)
{
    if (ids->pid == 0) {
        return state->native_id;
    }
    int64_t number = translate(ids, state->native_id);
    if (number == 0) {
        number = translate(ids, number_of_pthread(ids, state->thread_id, all));
    }
    return number == 0 && all->count == 1 ? ids->pid : number;
}
