/* The memory of a Python that does not exist: enough of its structures to read stacks from, in one
 * block that tests and fuzzers damage as they like. */
#ifndef MPROF_TESTS_FAKE_PYTHON_H
#define MPROF_TESTS_FAKE_PYTHON_H

#include "record/stacks/python_layout.h"
#include "record/stacks/python_stacks.h"

#define FAKE_BASE UINT64_C(0x100000)
#define FAKE_SIZE 262144

typedef struct fake_python {
    unsigned char *bytes; /* owned, FAKE_SIZE */
    size_t size;          /* mapped from FAKE_BASE on */
    size_t used;
    mprof__python_layout layout;
    uint32_t version;
    uint64_t runtime;
    uint64_t interpreter;
    uint64_t code_type;
    uint64_t globals;
    uint64_t last_thread;
    unsigned reads;  /* calls of the reader */
    unsigned pieces; /* of all calls */
    int failure;     /* not 0: every call fails with this errno */
    /* Called before each piece is read; may be NULL. */
    void (*before)(struct fake_python *fake, uint64_t address, size_t size);
    void *context;
} fake_python;

/* An interpreter without threads; `version` is 0x0308 to 0x030d. */
void fake_python_init(fake_python *fake, uint32_t version);
void fake_python_free(fake_python *fake);

mprof__target_memory fake_python_memory(fake_python *fake);
mprof__python_hints fake_python_hints(const fake_python *fake);

/* A str, a dict whose first key is "__name__", a code object. All return addresses. */
uint64_t fake_text(fake_python *fake, const char *text);
uint64_t fake_globals(fake_python *fake, const char *module);
uint64_t fake_code(fake_python *fake, const char *name, const char *file, int32_t line);

/* A frame that was called by another one, or 0. */
uint64_t fake_frame(fake_python *fake, uint64_t code, uint64_t previous);

/* Adds a thread state, the newest, whose innermost frame is `frame`. */
uint64_t fake_thread(fake_python *fake, uint64_t frame, uint64_t native_id);

/* Writes a number into the memory. */
void fake_poke(fake_python *fake, uint64_t address, uint64_t number);
uint64_t fake_peek(const fake_python *fake, uint64_t address);

/* The place of the pointer to a thread's innermost frame. */
uint64_t fake_root(const fake_python *fake, uint64_t thread);

#endif
