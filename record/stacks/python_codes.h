/* The functions of a process: its code objects by address, and their names. A code object may be
 * freed and another one take its address, so a name is used only if the object's head still is what
 * it was when the name was read. Where that happens, names may take the addresses of other names as
 * well: there they are read again in each sample. */
#ifndef MPROF_RECORD_PYTHON_CODES_H
#define MPROF_RECORD_PYTHON_CODES_H

#include "parse/number_map.h"
#include "python_layout.h"
#include "python_stacks.h"

/* What identifies a code object at its address. */
typedef struct mprof__code_key {
    uint64_t name;
    uint64_t qualname;
    uint64_t file;
    uint64_t lines;
    uint64_t consts;
    int32_t first_line;
    uint32_t version;
} mprof__code_key;

typedef struct mprof__known_code {
    uint64_t address;
    mprof__code_key key;
    const mprof__python_code *code;
    unsigned char *lines; /* owned; NULL: not known */
    uint32_t lines_size;
    uint32_t sample;   /* that it was first seen in */
    uint32_t read_in;  /* sample that its names were last read in */
    bool is_confirmed; /* seen in two samples, or a frame that ran it was still there afterwards */
    bool is_reused;    /* another one was at this address before */
} mprof__known_code;

typedef struct mprof__python_codes {
    mprof__target_memory memory;
    const mprof__python_layout *layout;
    uint64_t code_type;           /* address of PyCode_Type; 0: not found yet */
    uint64_t not_code_count;      /* heads of something else, before PyCode_Type was found */
    uint32_t sample;              /* counts up; set by the reader */
    uint32_t reads;               /* of names, in this sample */
    mprof__number_map by_address; /* to indexes of `known` */
    mprof__known_code **known;    /* owned */
    size_t known_count;
    size_t known_capacity;
    mprof__number_map by_content; /* hash to index of `codes` */
    mprof__python_code **codes;   /* owned */
    size_t code_count;
    size_t code_capacity;
    size_t lines_bytes; /* of all tables of lines */
} mprof__python_codes;

void mprof__python_codes_init(mprof__python_codes *codes, const mprof__target_memory *memory,
                              const mprof__python_layout *layout);
void mprof__python_codes_free(mprof__python_codes *codes);

/* The code object at an address, `head` being its bytes at this moment; reads its names if they are
 * not known. `globals` is the dict that it runs with. NULL: it is no code object, it changed
 * meanwhile, there were too many new ones in this sample, or no memory. Valid until the next
 * call with another address. */
mprof__known_code *mprof__python_codes_find(mprof__python_codes *codes, uint64_t address,
                                            const unsigned char *head, uint64_t globals);

/* The line of an instruction, as the frame holds it (python_layout.h); 0: not known. */
int32_t mprof__known_code_line(const mprof__python_codes *codes, const mprof__known_code *known,
                               uint64_t instruction);

#endif
