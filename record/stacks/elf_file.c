/* Read piece by piece with pread(2): a mapped file that is truncated would be fatal. */
#include "elf_file.h"

#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTIONS_MAX 4096
#define SEGMENTS_MAX 128
#define STRINGS_MAX (64u << 20)
#define SYMBOLS_MAX (1u << 22)
#define BLOCK_SYMBOLS 1024

static bool read_all(int fd, void *bytes, size_t size, uint64_t offset)
{
    return offset <= INT64_MAX && pread(fd, bytes, size, (off_t)offset) == (ssize_t)size;
}

/* `size` bytes and a NUL; NULL: they cannot be read. Freed by the caller. */
static char *read_strings(int fd, const Elf64_Shdr *section)
{
    if (section->sh_size == 0 || section->sh_size > STRINGS_MAX) {
        return NULL;
    }
    size_t size = (size_t)section->sh_size;
    char *strings = malloc(size + 1);
    if (strings && !read_all(fd, strings, size, section->sh_offset)) {
        free(strings);
        return NULL;
    }
    if (strings) {
        strings[section->sh_size] = '\0';
    }
    return strings;
}

static void match_symbol(const Elf64_Sym *symbol, const char *name, mprof__elf_symbol *symbols,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (symbols[i].value == 0 && strcmp(symbols[i].name, name) == 0) {
            symbols[i].value = symbol->st_value;
        }
    }
}

static void read_symbols(int fd, const Elf64_Shdr *table, const Elf64_Shdr *strings_section,
                         mprof__elf_symbol *symbols, size_t count)
{
    char *strings = read_strings(fd, strings_section);
    Elf64_Sym *block = malloc(BLOCK_SYMBOLS * sizeof *block);
    uint64_t left = table->sh_size / sizeof *block;

    left = left < SYMBOLS_MAX ? left : SYMBOLS_MAX;
    for (uint64_t at = table->sh_offset; strings && block && left > 0;) {
        size_t some = left < BLOCK_SYMBOLS ? (size_t)left : BLOCK_SYMBOLS;

        if (!read_all(fd, block, some * sizeof *block, at)) {
            break;
        }
        for (size_t i = 0; i < some; i++) {
            if (block[i].st_shndx != SHN_UNDEF && block[i].st_name < strings_section->sh_size) {
                match_symbol(&block[i], strings + block[i].st_name, symbols, count);
            }
        }
        left -= some;
        at += some * sizeof *block;
    }
    free(block);
    free(strings);
}

/* The address of the first loaded segment; -1: no segment is loaded. */
static int64_t first_address(int fd, const Elf64_Ehdr *header)
{
    for (unsigned i = 0; i < header->e_phnum && i < SEGMENTS_MAX; i++) {
        Elf64_Phdr segment;

        if (!read_all(fd, &segment, sizeof segment, header->e_phoff + i * sizeof segment)) {
            return -1;
        }
        if (segment.p_type == PT_LOAD) {
            return (int64_t)((segment.p_vaddr - segment.p_offset) & INT64_MAX);
        }
    }
    return -1;
}

static void read_sections(int fd, const Elf64_Ehdr *header, mprof__elf_symbol *symbols,
                          size_t count, const char *wanted, uint64_t *wanted_address)
{
    size_t length = header->e_shnum < SECTIONS_MAX ? header->e_shnum : SECTIONS_MAX;
    Elf64_Shdr *sections = malloc((length + 1) * sizeof *sections);
    char *names = NULL;
    bool has_symbols = false;

    if (!sections || header->e_shstrndx >= length ||
        !read_all(fd, sections, length * sizeof *sections, header->e_shoff)) {
        free(sections);
        return;
    }
    names = read_strings(fd, &sections[header->e_shstrndx]);
    for (size_t i = 0; i < length; i++) {
        const Elf64_Shdr *one = &sections[i];

        if (one->sh_type == SHT_SYMTAB && one->sh_link < length) {
            if (has_symbols) { /* a file has one; thousands of large ones would take minutes */
                continue;
            }
            has_symbols = true;
            read_symbols(fd, one, &sections[one->sh_link], symbols, count);
        } else if (names && one->sh_name < sections[header->e_shstrndx].sh_size &&
                   strcmp(names + one->sh_name, wanted) == 0) {
            *wanted_address = one->sh_addr;
        }
    }
    free(names);
    free(sections);
}

int64_t mprof__elf_file_read(const char *path, mprof__elf_symbol *symbols, size_t count,
                             const char *section, uint64_t *section_address)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int64_t first = -1;
    Elf64_Ehdr header;

    *section_address = 0;
    if (fd < 0) {
        return -1;
    }
    if (read_all(fd, &header, sizeof header, 0) && memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
        header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_phentsize == sizeof(Elf64_Phdr)) {
        first = first_address(fd, &header);
        if (header.e_shentsize == sizeof(Elf64_Shdr)) {
            read_sections(fd, &header, symbols, count, section, section_address);
        }
    }
    close(fd);
    return first;
}
