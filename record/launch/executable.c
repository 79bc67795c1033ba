#include "executable.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if UINTPTR_MAX == UINT64_MAX
#define NATIVE_CLASS ELFCLASS64
typedef Elf64_Ehdr elf_header;
typedef Elf64_Phdr elf_segment;
#else
#define NATIVE_CLASS ELFCLASS32
typedef Elf32_Ehdr elf_header;
typedef Elf32_Phdr elf_segment;
#endif

/* Bytes read: as many as the kernel reads for a #! line, and enough for an ELF header. */
#define HEAD_SIZE 256
/* Most program headers read; real files have a dozen. */
#define SEGMENTS_MAX 64

static bool is_runnable_file(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

static bool find_in_path(char *path, size_t size, const char *name, const char *search)
{
    for (const char *part = search;; part++) {
        size_t length = strcspn(part, ":");
        int written = length > 0 ? snprintf(path, size, "%.*s/%s", (int)length, part, name)
                                 : snprintf(path, size, "%s", name);

        if (written > 0 && (size_t)written < size && is_runnable_file(path)) {
            return true;
        }
        part += length;
        if (*part == '\0') {
            return false;
        }
    }
}

/* The machine this build is for. EM_NONE: unknown. */
static unsigned read_own_machine(void)
{
    elf_header header;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? pread(fd, &header, sizeof header, 0) : -1;

    if (fd >= 0) {
        close(fd);
    }
    return got == (ssize_t)sizeof header ? header.e_machine : EM_NONE;
}

/* musl's loader is named like ld-musl-x86_64.so.1. */
static bool names_musl(int fd, const elf_segment *segment)
{
    char loader[256] = "";
    size_t size = segment->p_filesz < sizeof loader ? segment->p_filesz : sizeof loader - 1;

    (void)!pread(fd, loader, size, (off_t)segment->p_offset);
    return strstr(loader, "/ld-musl") != NULL;
}

static mprof__executable_kind classify_elf(mprof__executable *executable, int fd, const char *head,
                                           size_t length)
{
    elf_header header;
    elf_segment segment;
    unsigned machine = read_own_machine();

    if (length < sizeof header || head[EI_CLASS] != NATIVE_CLASS) {
        return MPROF__EXECUTABLE_FOREIGN;
    }
    memcpy(&header, head, sizeof header);
    if (machine != EM_NONE && header.e_machine != machine) {
        return MPROF__EXECUTABLE_FOREIGN;
    }
    if (header.e_phentsize != sizeof segment) {
        return MPROF__EXECUTABLE_UNKNOWN;
    }
    for (int i = 0; i < header.e_phnum && i < SEGMENTS_MAX; i++) {
        off_t offset = (off_t)header.e_phoff + (off_t)(sizeof segment) * i;

        if (pread(fd, &segment, sizeof segment, offset) != (ssize_t)sizeof segment) {
            return MPROF__EXECUTABLE_UNKNOWN;
        }
        if (segment.p_type == PT_INTERP) {
            executable->is_musl = names_musl(fd, &segment);
            return MPROF__EXECUTABLE_DYNAMIC;
        }
    }
    return MPROF__EXECUTABLE_STATIC;
}

static void split_script_line(mprof__executable *executable, char *line)
{
    char *word = line + 2 + strspn(line + 2, " \t");

    word[strcspn(word, "\n")] = '\0';
    char *end = word + strcspn(word, " \t");
    snprintf(executable->interpreter, sizeof executable->interpreter, "%.*s", (int)(end - word),
             word);
    end += strspn(end, " \t");
    snprintf(executable->argument, sizeof executable->argument, "%s", end);
}

static mprof__executable_kind classify(mprof__executable *executable, int fd)
{
    char head[HEAD_SIZE + 1];
    ssize_t got = pread(fd, head, HEAD_SIZE, 0);
    size_t length = got > 0 ? (size_t)got : 0;

    if (length == 0) {
        return MPROF__EXECUTABLE_UNKNOWN;
    }
    head[length] = '\0';
    if (length >= SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0) {
        return classify_elf(executable, fd, head, length);
    }
    if (length >= 2 && head[0] == '#' && head[1] == '!') {
        split_script_line(executable, head);
        return MPROF__EXECUTABLE_SCRIPT;
    }
    return memchr(head, '\0', length) ? MPROF__EXECUTABLE_UNKNOWN : MPROF__EXECUTABLE_TEXT;
}

void mprof__executable_inspect(mprof__executable *executable, const char *name, const char *search)
{
    struct stat status;

    memset(executable, 0, sizeof *executable);
    if (strchr(name, '/')) {
        snprintf(executable->path, sizeof executable->path, "%s", name);
    } else if (!find_in_path(executable->path, sizeof executable->path, name,
                             search ? search : "/bin:/usr/bin")) {
        executable->path[0] = '\0';
        return;
    }
    int fd = open(executable->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return;
    }
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        executable->privileged = (status.st_mode & (S_ISUID | S_ISGID)) != 0;
        executable->kind = classify(executable, fd);
    }
    close(fd);
}
