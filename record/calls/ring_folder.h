/* The private directory in which recorded processes leave their event rings (agent/events/wire.h):
 * made, watched for new rings, and removed with all that is in it. */
#ifndef MPROF_RECORD_RING_FOLDER_H
#define MPROF_RECORD_RING_FOLDER_H

#include "ring_reader.h"

#include <mprof/error.h>
#include <stdbool.h>

typedef struct mprof__ring_folder mprof__ring_folder;

/* Makes the directory, 0700, or where this is root one that its program can also use when it has
 * become another user, under /dev/shm, $TMPDIR or /tmp, whichever comes first, and removes
 * those that dead recorders of this user left behind. MPROF_EIO, MPROF_ENOMEM. */
mprof_status mprof__ring_folder_open(mprof__ring_folder **out, mprof_error *error);

/* Removes the directory with everything in it. NULL is fine. */
void mprof__ring_folder_free(mprof__ring_folder *folder);

/* What MPROF_RINGS is to be; owned by the folder. */
const char *mprof__ring_folder_path(const mprof__ring_folder *folder);

/* The directory that other processes of this user, and root, can find by the recorder; owned by the
 * folder. */
int mprof__ring_folder_fd(const mprof__ring_folder *folder);

/* Finds the directory of another recorder, by its pid, or by that of a process it records. It is
 * this user's, or anybody's where this is root. A descriptor, the caller's, or -1. */
int mprof__ring_folder_find(int64_t recorder);
int mprof__ring_folder_find_of_process(int64_t pid);

#define MPROF__RING_FOLDER_LINK "installed"

/* Makes another directory reachable under this name in the folder, until the folder is removed: for
 * what cannot name it itself. 0, or -1 with errno. */
int mprof__ring_folder_link(mprof__ring_folder *folder, const char *directory);

/* The line by which an agent answered that was sent into a running process (agent/events/wire.h).
 * 1, or 0: none yet. */
bool mprof__ring_folder_read_answer(const mprof__ring_folder *folder, char *words, size_t size);
/* It is to answer once more. */
void mprof__ring_folder_remove_answer(const mprof__ring_folder *folder);

/* Descriptors to poll for reading: the bell, and the watch for new rings (-1 if the kernel gave
 * none: then the folder is to be searched at every tick). */
int mprof__ring_folder_wakeup_fd(const mprof__ring_folder *folder);
int mprof__ring_folder_watch_fd(const mprof__ring_folder *folder);

/* Takes the bytes of the bell. */
void mprof__ring_folder_clear_wakeup(mprof__ring_folder *folder);

/* 1 if there may be rings that were not found yet: asks the watch, and takes what it tells. */
bool mprof__ring_folder_has_changed(mprof__ring_folder *folder);

/* Takes a ring that was found; it is the callback's to free. `number` counts the images of a
 * process. */
typedef mprof_status (*mprof__ring_found)(void *data, mprof__ring_reader *ring, int64_t pid,
                                          uint64_t number);

/* A name that a process was given, in numbers of its namespaces; `image` is that of its rings. */
typedef struct mprof__given_name {
    int64_t pid;
    int64_t time_ns;
    int64_t wall_ns;
    uint64_t image;
    uint64_t pid_namespace;
} mprof__given_name;

/* Takes the name that a process was given, valid during the call. 1 if it is done with, 0 if it is
 * to be handed over again. */
typedef bool (*mprof__given_name_found)(void *data, const mprof__given_name *given,
                                        mprof_text name);

/* Searches for rings not found before, opens and hands them over, oldest image first; then the
 * last name of each process that was given one. Files that are no rings are counted and left alone.
 * MPROF_EIO, MPROF_ENOMEM, or what `found` returned. */
mprof_status mprof__ring_folder_search(mprof__ring_folder *folder, mprof__ring_found found,
                                       mprof__given_name_found named, void *data,
                                       mprof_error *error);

/* Forgets and removes the file of a ring that will not be read again. */
void mprof__ring_folder_remove_ring(mprof__ring_folder *folder, int64_t pid, uint64_t number);

/* Hands over what processes could not do, in words of theirs; once for each time it is called.
 * is_said: the user has been told. */
void mprof__ring_folder_read_notices(mprof__ring_folder *folder,
                                     void (*take)(void *data, const char *text, bool is_said),
                                     void *data);

/* How many files looked like rings and were none; the first reason in *error. */
uint64_t mprof__ring_folder_rejected(const mprof__ring_folder *folder, mprof_error *error);

#endif
