/* The memory of another process, and the ELF objects that are mapped into it: what they export is
 * looked up where it lies, so that a file that was replaced since, or is seen by the process alone,
 * makes no difference. */
#ifndef MPROF_RECORD_REMOTE_MEMORY_H
#define MPROF_RECORD_REMOTE_MEMORY_H

#include <mprof/error.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mprof__remote_memory mprof__remote_memory;

/* An object of the process. Owned by the memory. */
typedef struct mprof__object {
    char *name;          /* last part of the file's path */
    char *path;          /* as the kernel tells it */
    uint64_t start;      /* address of its ELF header */
    uint64_t code_start; /* of its first executable mapping; 0: it has none */
    uint64_t code_end;
} mprof__object;

/* MPROF_EARGUMENT: it may not be looked into, the reason is told; MPROF_ENOTFOUND: it has gone;
 * MPROF_ENOMEM. */
mprof_status mprof__remote_memory_open(mprof__remote_memory **out, int64_t pid, mprof_error *error);

/* NULL is fine. */
void mprof__remote_memory_free(mprof__remote_memory *memory);

/* All objects, the program itself among them. */
const mprof__object *mprof__remote_memory_objects(const mprof__remote_memory *memory,
                                                  size_t *count);

/* The whole of `size` bytes. 0, or -1 with errno. Writing passes over write protection, as a
 * debugger may: only where the memory is private to the process. */
int mprof__remote_memory_read(const mprof__remote_memory *memory, void *bytes, size_t size,
                              uint64_t address);
int mprof__remote_memory_write(const mprof__remote_memory *memory, const void *bytes, size_t size,
                               uint64_t address);

/* The address of a function or variable that the object defines for others; 0: it does not. */
uint64_t mprof__remote_memory_symbol(const mprof__remote_memory *memory,
                                     const mprof__object *object, const char *name);

/* The address of these bytes in the object's code; 0: they are not there. */
uint64_t mprof__remote_memory_code(const mprof__remote_memory *memory, const mprof__object *object,
                                   const void *bytes, size_t size);

#endif
