/* Reads the Python stacks of another process out of its memory, while it runs: no stop, no code of
 * ours in it, no GIL. CPython 3.8 to 3.15; other builds are refused with a reason. The memory is
 * not trusted: work per sample is bounded. Not thread-safe; a thread may use several readers. */
#ifndef MPROF_RECORD_PYTHON_STACKS_H
#define MPROF_RECORD_PYTHON_STACKS_H

#include <mprof/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/stacks/target_memory.h"

/* Deeper stacks lose their outermost frames. */
#define MPROF__PYTHON_FRAMES_MAX 1024
/* More threads of a process are not read. */
#define MPROF__PYTHON_THREADS_MAX 1024

/* A function, class body, module or comprehension: what CPython calls a code object. Code objects
 * of the same content are one. Owned by the reader, at the same address until it is closed. All
 * texts are UTF-8, cut if they are long. */
typedef struct mprof__python_code {
    const char *module;   /* __name__ of its globals when it was first seen; "": not found */
    const char *qualname; /* before 3.11 the plain name */
    const char *name;     /* of the function alone */
    const char *file;     /* as compiled: may be relative, or "<string>" */
    int32_t first_line;
    uint32_t id; /* counts up from 0 in a reader */
} mprof__python_code;

typedef struct mprof__python_frame {
    const mprof__python_code *code;
    uint64_t address; /* the same in two samples: the same call, or a later call of the function
                         from the same place */
    int32_t line;     /* that it executes; 0: not known */
} mprof__python_frame;

typedef struct mprof__python_thread {
    int64_t tid;         /* in our pid namespace; 0: not known */
    uint64_t state;      /* address of its thread state: identifies it within the process */
    int64_t interpreter; /* 0: the main one */
    const mprof__python_frame *frames; /* innermost first */
    size_t count;                      /* 0: no Python frame, or all of them dropped (is_torn) */
    bool has_gil;                      /* executes Python, or a C function that keeps the GIL */
    bool is_unchanged;                 /* every frame is at the instruction of the last sample */
    bool is_cut;  /* more than MPROF__PYTHON_FRAMES_MAX: the outermost are missing */
    bool is_torn; /* the stack changed while it was read: innermost frames are missing */
} mprof__python_thread;

/* Owned by the caller, who may use one for any number of readers: it also holds the buffers. All
 * zero: empty. The threads are valid until it is used again. */
typedef struct mprof__python_sample {
    const mprof__python_thread *threads; /* those with a thread state, newest first */
    size_t count;
    bool is_cut;    /* more than MPROF__PYTHON_THREADS_MAX threads */
    bool knows_gil; /* has_gil is known */
    struct mprof__stack_buffers *buffers;
} mprof__python_sample;

/* What a forked child shares with its parent, so that nothing must be looked up. All zero: nothing
 * known. */
typedef struct mprof__python_hints {
    uint64_t runtime; /* address of _PyRuntime */
    uint32_t version; /* PY_VERSION_HEX, at least its upper 16 bits; 0: not known */
} mprof__python_hints;

typedef struct mprof__python_stacks mprof__python_stacks;

/* Finds the interpreter of a process. `hints` may be NULL, or those of the process that forked it;
 * they must not be used after an exec. Takes some milliseconds without hints.
 *
 * MPROF_ENOTFOUND: no Python of a supported version is mapped. Try again later: right after exec
 *   the dynamic linker may not have mapped it yet, and a program may load it at any time.
 * MPROF_EARGUMENT: there is one, but its stacks cannot be read. The error says why in one line,
 * with the remedy: no permission, a free-threaded build, an unknown layout. It is not worth trying
 * again before the process calls exec. MPROF_ENOMEM. */
mprof_status mprof__python_stacks_open(mprof__python_stacks **out, int64_t pid,
                                       const mprof__python_hints *hints, mprof_error *error);

/* The same for memory that the caller gives access to; the hints are required. `pid` 0: thread
 * numbers are those of the process's own namespace, unchecked. */
mprof_status mprof__python_stacks_open_memory(mprof__python_stacks **out,
                                              const mprof__target_memory *memory, int64_t pid,
                                              const mprof__python_hints *hints, mprof_error *error);

/* What to give to open() for a forked child. Copy it: the reader may be closed before. */
const mprof__python_hints *mprof__python_stacks_hints(const mprof__python_stacks *stacks);

/* The layout in use, for tests. Valid until close. */
const struct mprof__python_layout *mprof__python_stacks_layout(const mprof__python_stacks *stacks);

/* Whether it can be known which program the process executes. */
bool mprof__python_stacks_knows_program(const mprof__python_stacks *stacks);
/* Whether that still is the program that the reader was opened for; false also if the process has
 * ended; true if it cannot be known. */
bool mprof__python_stacks_is_same_program(mprof__python_stacks *stacks);

/* Reads the stacks of all threads. An interpreter that has not started has no threads.
 *
 * MPROF_ENOTFOUND: the process has ended or called exec, as far as the memory shows. Close the
 * reader; open it again for the new program. MPROF_EARGUMENT: the right to read was lost; the error
 * gives the reason. MPROF_ENOMEM. The sample is empty then. */
mprof_status mprof__python_stacks_read(mprof__python_stacks *stacks, mprof__python_sample *sample,
                                       mprof_error *error);

/* Reads the stack of one thread again, as soon as possible: that with this state, which was in the
 * last sample. The sample has it alone then. Returns as above, also MPROF_ENOTFOUND if there is no
 * such thread. */
mprof_status mprof__python_stacks_read_thread(mprof__python_stacks *stacks,
                                              mprof__python_sample *sample, uint64_t state,
                                              mprof_error *error);

/* NULL is allowed. */
void mprof__python_stacks_close(mprof__python_stacks *stacks);

/* Whether Python code runs: an interpreter that ends gives back its memory without. */
bool mprof__python_sample_has_frames(const mprof__python_sample *sample);

/* Frees the buffers of a sample; it is empty then. */
void mprof__python_sample_free(mprof__python_sample *sample);

#endif
