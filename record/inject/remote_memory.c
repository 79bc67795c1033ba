/* Finds dynamic symbols only, by the GNU hash table that every linker writes: a dozen small reads
 * for one name. */
#include "remote_memory.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Far more than real programs have. */
#define OBJECTS_MAX 4096
#define SEGMENTS_MAX 64
#define DYNAMIC_MAX 256
#define CHAIN_MAX 65536
#define NAME_MAX_BYTES 128
#define BLOCK_BYTES 65536

struct mprof__remote_memory {
    int64_t pid;
    int fd;
    mprof__object *objects;
    size_t count;
};

int mprof__remote_memory_read(const mprof__remote_memory *memory, void *bytes, size_t size,
                              uint64_t address)
{
    return pread(memory->fd, bytes, size, (off_t)address) == (ssize_t)size ? 0 : -1;
}

int mprof__remote_memory_write(const mprof__remote_memory *memory, const void *bytes, size_t size,
                               uint64_t address)
{
    return pwrite(memory->fd, bytes, size, (off_t)address) == (ssize_t)size ? 0 : -1;
}

/* ---- mappings ---- */

typedef struct mapping {
    uint64_t start;
    uint64_t end;
    uint64_t offset;
    char rights[5];
    const char *path; /* points into the line */
} mapping;

/* "start-end rights offset major:minor inode   path". False: it maps neither a file nor the vDSO.
 */
static bool parse_mapping(mapping *one, char *line)
{
    unsigned long long numbers[3];
    int path = 0;

    line[strcspn(line, "\n")] = '\0';
    if (sscanf(line, "%llx-%llx %4s %llx %*s %*s %n", &numbers[0], &numbers[1], one->rights,
               &numbers[2], &path) != 4) {
        return false;
    }
    one->start = numbers[0];
    one->end = numbers[1];
    one->offset = numbers[2];
    one->path = line + path;
    return path > 0 && (line[path] == '/' || strcmp(line + path, MPROF__OBJECT_VDSO) == 0);
}

static mprof_status add_object(mprof__remote_memory *memory, const mapping *one)
{
    mprof__object *larger = realloc(memory->objects, (memory->count + 1) * sizeof *memory->objects);
    char *path = strdup(one->path);
    char *slash = path ? strrchr(path, '/') : NULL;

    if (larger) {
        memory->objects = larger;
    }
    if (!larger || !path) {
        free(path);
        return MPROF_ENOMEM;
    }
    memset(&larger[memory->count], 0, sizeof *larger);
    larger[memory->count].path = path;
    larger[memory->count].name = slash ? slash + 1 : path;
    larger[memory->count].start = one->start;
    memory->count++;
    return MPROF_OK;
}

/* The mappings of a file are adjacent, the one with its header first. */
static mprof_status add_mapping(mprof__remote_memory *memory, const mapping *one)
{
    mprof__object *last = memory->count > 0 ? &memory->objects[memory->count - 1] : NULL;

    if (!last || strcmp(last->path, one->path) != 0) {
        if (one->offset != 0 || memory->count == OBJECTS_MAX) {
            return MPROF_OK;
        }
        mprof_status status = add_object(memory, one);
        if (status != MPROF_OK) {
            return status;
        }
        last = &memory->objects[memory->count - 1];
    }
    if (one->rights[2] == 'x' && last->code_start == 0) {
        last->code_start = one->start;
        last->code_end = one->end;
    }
    return MPROF_OK;
}

static mprof_status read_mappings(mprof__remote_memory *memory, mprof_error *error)
{
    mprof_status status = MPROF_OK;
    char path[64];
    char *line = NULL;
    size_t size = 0;

    snprintf(path, sizeof path, "/proc/%lld/maps", (long long)memory->pid);
    FILE *file = fopen(path, "re");
    if (!file && (errno == ENOENT || errno == ESRCH)) { /* since its memory was opened */
        return mprof_error_set(error, MPROF_ENOTFOUND, "it has ended");
    }
    if (!file) {
        return mprof_error_set_errno(error, errno, "cannot read what is mapped into the process");
    }
    while (status == MPROF_OK && getline(&line, &size, file) > 0) {
        mapping one;

        if (parse_mapping(&one, line)) {
            status = add_mapping(memory, &one);
        }
    }
    free(line);
    fclose(file);
    return status == MPROF_OK ? MPROF_OK : mprof_error_set(error, status, "out of memory");
}

/* The user that owns a file of /proc/PID; -1: there is no such file. */
static int64_t file_owner(int64_t pid, const char *file)
{
    char path[64];
    struct stat status;

    snprintf(path, sizeof path, "/proc/%lld%s", (long long)pid, file);
    return stat(path, &status) == 0 ? (int64_t)status.st_uid : -1;
}

/* Sets the error to the reason of the kernel's refusal, as far as it can be found out. */
static mprof_status explain_refusal(mprof_error *error, int64_t pid, int failure)
{
    int64_t us = (int64_t)geteuid();
    char scope = '0';

    if (failure == ESRCH) {
        return mprof_error_set(error, MPROF_ENOTFOUND, "it has ended, or is a kernel thread");
    }
    if (failure == ENOENT) {
        return mprof_error_set(error, MPROF_ENOTFOUND, "it has ended");
    }
    if (failure != EACCES && failure != EPERM) {
        return mprof_error_set_errno(error, failure, "the process cannot be attached to");
    }
    int64_t owner = file_owner(pid, "");
    if (us != 0 && owner >= 0 && owner != us) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "the process is another user's, or setuid; run mprof as root");
    }
    if (us != 0 && file_owner(pid, "/mem") != us) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "the process has forbidden it (it is not dumpable); run mprof as "
                               "root");
    }
    FILE *file = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
    if (file) {
        scope = (char)getc(file);
        fclose(file);
    }
    if (scope > '0' && scope <= '3') {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "this system lets %s attach to processes "
                               "(kernel.yama.ptrace_scope is %c)",
                               scope == '3' ? "no user" : "only root", scope);
    }
    return mprof_error_set(error, MPROF_EARGUMENT, "no permission to attach to the process");
}

mprof_status mprof__remote_memory_open(mprof__remote_memory **out, int64_t pid, mprof_error *error)
{
    mprof__remote_memory *memory = calloc(1, sizeof *memory);
    char path[64];

    *out = NULL;
    if (!memory) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    snprintf(path, sizeof path, "/proc/%lld/mem", (long long)pid);
    memory->pid = pid;
    memory->fd = open(path, O_RDWR | O_CLOEXEC);
    mprof_status status =
        memory->fd >= 0 ? read_mappings(memory, error) : explain_refusal(error, pid, errno);
    if (status != MPROF_OK) {
        mprof__remote_memory_free(memory);
        return status;
    }
    *out = memory;
    return MPROF_OK;
}

void mprof__remote_memory_free(mprof__remote_memory *memory)
{
    if (!memory) {
        return;
    }
    for (size_t i = 0; i < memory->count; i++) {
        free(memory->objects[i].path);
    }
    free(memory->objects);
    if (memory->fd >= 0) {
        close(memory->fd);
    }
    free(memory);
}

const mprof__object *mprof__remote_memory_objects(const mprof__remote_memory *memory, size_t *count)
{
    *count = memory->count;
    return memory->objects;
}

/* ---- symbols ---- */

/* Addresses from the dynamic section. */
typedef struct tables {
    uint64_t bias; /* address in memory minus address in the file */
    uint64_t symbols;
    uint64_t strings;
    uint64_t hash;
} tables;

/* The loader replaces some values by addresses and leaves others as in the file. */
static uint64_t to_address(const tables *found, uint64_t start, uint64_t value)
{
    return value < start ? value + found->bias : value;
}

static void read_dynamic(const mprof__remote_memory *memory, uint64_t start, uint64_t address,
                         tables *found)
{
    for (int i = 0; i < DYNAMIC_MAX; i++) {
        Elf64_Dyn entry;

        if (mprof__remote_memory_read(memory, &entry, sizeof entry,
                                      address + (uint64_t)i * sizeof entry) != 0 ||
            entry.d_tag == DT_NULL) {
            return;
        }
        uint64_t value = to_address(found, start, entry.d_un.d_ptr);
        if (entry.d_tag == DT_SYMTAB) {
            found->symbols = value;
        } else if (entry.d_tag == DT_STRTAB) {
            found->strings = value;
        } else if (entry.d_tag == DT_GNU_HASH) {
            found->hash = value;
        }
    }
}

static bool find_tables(const mprof__remote_memory *memory, const mprof__object *object,
                        tables *found)
{
    Elf64_Ehdr header;
    uint64_t dynamic = 0;
    bool is_placed = false;

    memset(found, 0, sizeof *found);
    if (mprof__remote_memory_read(memory, &header, sizeof header, object->start) != 0 ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_phentsize != sizeof(Elf64_Phdr)) {
        return false;
    }
    for (int i = 0; i < header.e_phnum && i < SEGMENTS_MAX; i++) {
        Elf64_Phdr segment;

        if (mprof__remote_memory_read(memory, &segment, sizeof segment,
                                      object->start + header.e_phoff +
                                          (uint64_t)i * sizeof segment) != 0) {
            return false;
        }
        if (segment.p_type == PT_LOAD && !is_placed) {
            found->bias = object->start - (segment.p_vaddr - segment.p_offset);
            is_placed = true;
        } else if (segment.p_type == PT_DYNAMIC) {
            dynamic = segment.p_vaddr;
        }
    }
    if (is_placed && dynamic != 0) {
        read_dynamic(memory, object->start, dynamic + found->bias, found);
    }
    return found->symbols != 0 && found->strings != 0 && found->hash != 0;
}

static uint32_t gnu_hash(const char *name)
{
    uint32_t hash = 5381;

    for (; *name; name++) {
        hash = hash * 33 + (unsigned char)*name;
    }
    return hash;
}

static bool is_named(const mprof__remote_memory *memory, uint64_t address, const char *name)
{
    char text[NAME_MAX_BYTES];
    size_t size = strlen(name) + 1;

    return size <= sizeof text && mprof__remote_memory_read(memory, text, size, address) == 0 &&
           memcmp(text, name, size) == 0;
}

uint64_t mprof__remote_memory_symbol(const mprof__remote_memory *memory,
                                     const mprof__object *object, const char *name)
{
    struct {
        uint32_t buckets;
        uint32_t first;
        uint32_t filter_words;
        uint32_t shift;
    } head;
    uint32_t hash = gnu_hash(name);
    uint32_t index;
    uint32_t link;
    tables found;

    if (!find_tables(memory, object, &found) ||
        mprof__remote_memory_read(memory, &head, sizeof head, found.hash) != 0 ||
        head.buckets == 0) {
        return 0;
    }
    uint64_t buckets = found.hash + sizeof head + (uint64_t)head.filter_words * 8;
    uint64_t chain = buckets + (uint64_t)head.buckets * 4;
    if (mprof__remote_memory_read(memory, &index, sizeof index,
                                  buckets + hash % head.buckets * 4) != 0 ||
        index < head.first) {
        return 0;
    }
    for (int i = 0; i < CHAIN_MAX; i++, index++) {
        Elf64_Sym symbol;

        if (mprof__remote_memory_read(memory, &link, sizeof link,
                                      chain + (uint64_t)(index - head.first) * 4) != 0) {
            return 0;
        }
        if ((link | 1) == (hash | 1) &&
            mprof__remote_memory_read(memory, &symbol, sizeof symbol,
                                      found.symbols + (uint64_t)index * sizeof symbol) == 0 &&
            symbol.st_shndx != SHN_UNDEF &&
            is_named(memory, found.strings + symbol.st_name, name)) {
            return found.bias + symbol.st_value;
        }
        if (link & 1) {
            return 0;
        }
    }
    return 0;
}

uint64_t mprof__remote_memory_code(const mprof__remote_memory *memory, const mprof__object *object,
                                   const void *bytes, size_t size)
{
    char *block = malloc(BLOCK_BYTES);
    uint64_t address = object->code_start;
    uint64_t found = 0;

    while (block && found == 0 && address + size <= object->code_end) {
        uint64_t left = object->code_end - address;
        size_t length = left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES;

        if (mprof__remote_memory_read(memory, block, length, address) != 0) {
            break;
        }
        const char *at = memmem(block, length, bytes, size);
        if (at) {
            found = address + (uint64_t)(at - block);
        }
        address += length - size + 1; /* the bytes may cross the end of a block */
    }
    free(block);
    return found;
}
