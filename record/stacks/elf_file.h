/* Symbols and sections of an ELF file that are not mapped when it runs. */
#ifndef MPROF_RECORD_ELF_FILE_H
#define MPROF_RECORD_ELF_FILE_H

#include <stddef.h>
#include <stdint.h>

/* A symbol that is wanted. */
typedef struct mprof__elf_symbol {
    const char *name;
    uint64_t value; /* the result, as in the file; 0: not found */
} mprof__elf_symbol;

/* Looks the symbols up in the table that the static linker wrote (.symtab), and finds a section's
 * address; 0: it has none. Files are not trusted. Returns the address in the file of its first
 * loaded byte, -1: the file cannot be read. */
int64_t mprof__elf_file_read(const char *path, mprof__elf_symbol *symbols, size_t count,
                             const char *section, uint64_t *section_address);

#endif
