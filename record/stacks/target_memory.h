/* Reading many pieces of another process's memory by few system calls. */
#ifndef MPROF_RECORD_TARGET_MEMORY_H
#define MPROF_RECORD_TARGET_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* How memory is read: tests and fuzzers supply their own. */
typedef struct mprof__target_memory {
    /* As process_vm_readv(2): reads the pieces `remote` one after the other to the pieces `local`
     * of the same sizes, up to the first that cannot be read. Bytes read; or -1 with errno if there
     * are none. At most IOV_MAX pieces. */
    ssize_t (*read)(void *context, const struct iovec *local, const struct iovec *remote,
                    size_t count);
    void *context;
} mprof__target_memory;

#endif
