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

/* A range of memory to read. */
typedef struct mprof__memory_piece {
    uint64_t address;
    void *bytes; /* receives `size` bytes */
    uint32_t size;
    bool is_read; /* the result: all of it was read */
} mprof__memory_piece;

/* Reads the pieces in their order. 0; or the errno that concerns the whole process: it has ended
 * (ESRCH), or may not be read (EPERM). A piece that is not mapped is not an error. */
int mprof__target_memory_read_pieces(const mprof__target_memory *memory,
                                     mprof__memory_piece *pieces, size_t count);

/* Reads all of one range; false: it could not be read. */
bool mprof__target_memory_read(const mprof__target_memory *memory, uint64_t address, void *bytes,
                               size_t size);

/* The memory of a process. The numbers are those of our pid namespace. */
typedef struct mprof__process_memory {
    int64_t pid;
    int fd; /* /proc/PID/mem where the system call is forbidden; -1: not in use */
} mprof__process_memory;

mprof__target_memory mprof__process_memory_open(mprof__process_memory *process, int64_t pid);
void mprof__process_memory_close(mprof__process_memory *process);

/* The random bytes that the kernel gives to each program that is executed (AT_RANDOM, see
 * getauxval(3)), and where they are. All zero: not known. */
typedef struct mprof__program_mark {
    uint64_t address;
    unsigned char bytes[16];
} mprof__program_mark;

/* A program without address randomisation has its data where the one before had it, so that reading
 * alone does not notice an exec. */
void mprof__program_mark_read(mprof__program_mark *mark, mprof__process_memory *process);

/* Whether the process still executes that program; true if the mark is not known. One system call,
 * if it does. */
bool mprof__program_mark_is_valid(mprof__program_mark *mark, mprof__process_memory *process);

#endif
