/* The memory of another process and the ELF objects mapped into it. Symbols are read from its
 * memory, not from files: these may have been replaced, or be visible to the process only. */
#ifndef MPROF_RECORD_REMOTE_MEMORY_H
#define MPROF_RECORD_REMOTE_MEMORY_H

#include <mprof/error.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mprof__remote_memory mprof__remote_memory;

/* The name and path of the code that the kernel maps into every process. */
#define MPROF__OBJECT_VDSO "[vdso]"

/* An object of the process. Owned by mprof__remote_memory. */
typedef struct mprof__object {
    char *name;          /* file name without directory */
    char *path;          /* from /proc/PID/maps */
    uint64_t start;      /* address of its ELF header */
    uint64_t code_start; /* its first executable mapping; 0: none */
    uint64_t code_end;
} mprof__object;

/* MPROF_EARGUMENT with the reason: no permission; MPROF_ENOTFOUND: it has ended, or has no memory
 * any more; MPROF_EIO, MPROF_ENOMEM. */
mprof_status mprof__remote_memory_open(mprof__remote_memory **out, int64_t pid, mprof_error *error);

/* NULL is allowed. */
void mprof__remote_memory_free(mprof__remote_memory *memory);

/* All objects, the program included. */
const mprof__object *mprof__remote_memory_objects(const mprof__remote_memory *memory,
                                                  size_t *count);

/* Reads or writes all of `size` bytes. 0, or -1 with errno. Writing ignores write protection, as
 * debuggers do: use it only for memory that is private to the process. */
int mprof__remote_memory_read(const mprof__remote_memory *memory, void *bytes, size_t size,
                              uint64_t address);
int mprof__remote_memory_write(const mprof__remote_memory *memory, const void *bytes, size_t size,
                               uint64_t address);

/* The address of a function or variable that the object exports; 0: it does not. */
uint64_t mprof__remote_memory_symbol(const mprof__remote_memory *memory,
                                     const mprof__object *object, const char *name);

/* The address of these bytes in the object's code; 0: not found. */
uint64_t mprof__remote_memory_code(const mprof__remote_memory *memory, const mprof__object *object,
                                   const void *bytes, size_t size);

#endif
