#include "pid_list.h"

#include "parse/array.h"
#include "procfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>

void mprof__pid_list_free(mprof__pid_list *list)
{
    free(list->pids);
    list->pids = NULL;
    list->count = list->size = 0;
}

mprof_status mprof__pid_list_add(mprof__pid_list *list, int64_t pid)
{
    int64_t *pids = mprof__array_grow(list->pids, list->count, &list->size, sizeof *pids);

    if (!pids) {
        return MPROF_ENOMEM;
    }
    list->pids = pids;
    pids[list->count++] = pid;
    return MPROF_OK;
}

static int compare_pids(const void *left, const void *right)
{
    const int64_t *a = left;
    const int64_t *b = right;

    return (*a > *b) - (*a < *b);
}

mprof_status mprof__pid_list_add_all(mprof__pid_list *list)
{
    int fd = mprof__procfs_open_path("/proc", O_RDONLY | O_DIRECTORY);
    DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
    mprof_status status = MPROF_OK;
    struct dirent *entry;

    if (!entries) {
        if (fd >= 0) {
            mprof__procfs_close(fd);
        }
        return MPROF_EIO;
    }
    while (status == MPROF_OK && (entry = readdir(entries))) {
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9') {
            status = mprof__pid_list_add(list, strtoll(entry->d_name, NULL, 10));
        }
    }
    closedir(entries);
    mprof__procfs_restore_reserve();
    if (list->count > 0) {
        qsort(list->pids, list->count, sizeof *list->pids, compare_pids);
    }
    return status;
}
