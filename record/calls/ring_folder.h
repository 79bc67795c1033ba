/* The private directory in which recorded processes create their event rings (agent/events/wire.h).
 */
#ifndef MPROF_RECORD_RING_FOLDER_H
#define MPROF_RECORD_RING_FOLDER_H

#include "ring_reader.h"

#include <mprof/error.h>
#include <stdbool.h>

typedef struct mprof__ring_folder mprof__ring_folder;

/* Makes the directory under the first usable one of /dev/shm, $TMPDIR and /tmp. Its mode is 0700;
 * root's is accessible to programs that became another user. Removes directories that dead
 * recorders of this user left behind. MPROF_EIO, MPROF_ENOMEM. */
mprof_status mprof__ring_folder_open(mprof__ring_folder **out, mprof_error *error);

/* Removes the directory with everything in it. NULL is allowed. */
void mprof__ring_folder_free(mprof__ring_folder *folder);

/* The value for MPROF_RINGS; owned by the folder. */
const char *mprof__ring_folder_path(const mprof__ring_folder *folder);

/* The directory that other processes of this user, and root, can find; owned by the folder. */
int mprof__ring_folder_fd(const mprof__ring_folder *folder);

/* Finds the directory of another recorder by its pid, or by the pid of a process it records. It
 * must belong to this user, unless this is root. A descriptor, owned by the caller, or -1. */
int mprof__ring_folder_find(int64_t recorder);
int mprof__ring_folder_find_of_process(int64_t pid);

/* The pid of the recorder whose directory was found; 0: unknown. */
int64_t mprof__ring_folder_recorder(int folder_fd);

#define MPROF__RING_FOLDER_LINK "installed"

/* Creates a symbolic link of this name in the folder, for processes that cannot use the directory's
 * own path. 0, or -1 with errno. */
int mprof__ring_folder_link(mprof__ring_folder *folder, const char *directory);

#define MPROF__RING_FOLDER_MODULES "python"

/* Writes a Python module to a directory of this name in the folder, which every process of the
 * program can read. Once. 0, or -1 with errno. */
int mprof__ring_folder_add_module(mprof__ring_folder *folder, const char *name, const char *text);

/* Reads the line with which an injected agent answered (agent/events/wire.h). False: none
 * yet. */
bool mprof__ring_folder_read_answer(const mprof__ring_folder *folder, char *text, size_t size);
/* Lets the agent answer again. */
void mprof__ring_folder_remove_answer(const mprof__ring_folder *folder);

/* Descriptors to poll for reading: writes of processes whose ring fills up, and changes of the
 * directory (-1 if the kernel has no watch: then search at every tick). */
int mprof__ring_folder_wakeup_fd(const mprof__ring_folder *folder);
int mprof__ring_folder_watch_fd(const mprof__ring_folder *folder);

/* Empties the pipe by which processes wake the recorder. */
void mprof__ring_folder_clear_wakeup(mprof__ring_folder *folder);

/* Whether there may be new rings. Empties the watch. */
bool mprof__ring_folder_has_changed(mprof__ring_folder *folder);

/* Gets a new ring, and must free it. `number` counts the images of a process. */
typedef mprof_status (*mprof__ring_found)(void *data, mprof__ring_reader *ring, int64_t pid,
                                          uint64_t number);

/* A name that a process was given, with numbers of its own namespaces; `image` is that of its
 * rings. */
typedef struct mprof__given_name {
    int64_t pid;
    int64_t time_ns;
    int64_t wall_ns;
    uint64_t image;
    uint64_t pid_namespace;
} mprof__given_name;

/* Gets the name that a process was given, valid during the call. False: pass it again later. */
typedef bool (*mprof__given_name_found)(void *data, const mprof__given_name *given,
                                        mprof_text name);

/* Opens new rings and passes them on, oldest image first; then passes the last name of each process
 * that was given one. Files that are not valid rings are ignored. MPROF_EIO,
 * MPROF_ENOMEM, or what `found` returned. */
mprof_status mprof__ring_folder_search(mprof__ring_folder *folder, mprof__ring_found found,
                                       mprof__given_name_found named, void *data,
                                       mprof_error *error);

/* Whether the last search failed before it had seen all files; the next one sees them. */
bool mprof__ring_folder_is_unsearched(const mprof__ring_folder *folder);

/* Rings that could not be opened for want of descriptors or memory. */
uint64_t mprof__ring_folder_unopened(const mprof__ring_folder *folder);

/* Removes the file of a ring that will not be read again. */
void mprof__ring_folder_remove_ring(mprof__ring_folder *folder, int64_t pid, uint64_t number);

/* Passes on what processes report that they could not do, each time it is called. is_printed: the
 * process has printed it already. */
void mprof__ring_folder_read_notices(mprof__ring_folder *folder,
                                     void (*report)(void *data, const char *text, bool is_printed),
                                     void *data);

/* How many files were named like rings but were not valid; the first reason in *error. */
uint64_t mprof__ring_folder_rejected(const mprof__ring_folder *folder, mprof_error *error);

#endif
