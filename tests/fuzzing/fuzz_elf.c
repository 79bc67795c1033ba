/* Any bytes as the file of a program whose stacks are sampled: symbols and a section are found in
 * it, or not, in little time and memory. */
#include "record/stacks/elf_file.h"

#include <assert.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Headers; at most SEGMENTS_MAX and SECTIONS_MAX of elf_file.c. */
#define TABLES_MAX (1 << 20)

/* Bytes that this process has read so far; 0: the kernel does not count them. */
static uint64_t read_bytes(void)
{
    FILE *file = fopen("/proc/self/io", "r");
    unsigned long long count = 0;
    if (file) {
        if (fscanf(file, "rchar: %llu", &count) != 1) {
            count = 0;
        }
        fclose(file);
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    mprof__elf_symbol symbols[] = {{"_PyRuntime", 0}, {"Py_Version", 0}};
    uint64_t section = 1;
    char path[64];
    int fd = memfd_create("program", MFD_CLOEXEC);
    assert(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    /* holes of the file are read as zeros: tables may be as large as they say */
    if (size > EI_NIDENT && bytes[EI_PAD]) {
        assert(ftruncate(fd, (off_t)bytes[EI_PAD] << 16) == 0);
    }
    off_t whole = lseek(fd, 0, SEEK_END);
    uint64_t before = read_bytes();
    int64_t first = mprof__elf_file_read(path, symbols, 2, ".PyRuntime", &section);
    /* names, symbols and their names: each once */
    assert(read_bytes() - before <= 3 * (uint64_t)whole + TABLES_MAX);
    assert(first >= -1);
    assert(size >= sizeof(Elf64_Ehdr) || (first == -1 && !section && !symbols[0].value));
    close(fd);
    return 0;
}
