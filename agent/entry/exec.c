/* The second half of the preload shim: corrects LD_PRELOAD for each program that a recorded program
 * executes, so that it gets the shim too, or starts without it and without a warning.
 *
 * The loader writes a warning to standard error for an object that it cannot open: after chroot(2)
 * or pivot_root(2), in another mount namespace, or if the new user may not read it. And a program
 * that sets LD_PRELOAD to a list of its own drops the shim. Both are known only at the exec, so the
 * shim replaces the functions that execute programs, and corrects the list for one program. If the
 * variable is gone, it stays away: that is how programs keep the agent out.
 *
 * This code runs in children of fork(2) and vfork(2) and in signal handlers: it uses memory of the
 * stack only, needs no lookup by the loader, and calls execve(2) directly. Only posix_spawn,
 * system and popen continue in libc; this file looks them up itself, because before glibc 2.34
 * there is no dlsym in programs that do not link libdl. docs/decisions/0032. */
#include "agent/events/wire.h"

#include <alloca.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined __x86_64__ || defined __aarch64__

#pragma weak environ
#pragma weak _r_debug
#pragma weak dlsym
#pragma weak __errno_location

#ifndef __GLIBC__
#pragma weak _dl_debug_addr
extern struct r_debug _r_debug;
extern struct r_debug *_dl_debug_addr;
extern ElfW(Dyn) _DYNAMIC[];
extern int execveat(int fd, const char *path, char *const arguments[], char *const environment[],
                    int flags);
#endif

#define SHOWN __attribute__((visibility("default")))

/* Larger environments stay unchanged: a copy would not fit on a small stack. */
#define VARIABLES_MAX 8192
#define LIST_MAX 16384
#define PATH_SIZE 4096
#define ARGUMENTS_MAX 8192

#define PRELOAD "LD_PRELOAD="
#define RINGS MPROF_WIRE_ENV_RINGS "="
#define SHIM "/" MPROF_WIRE_SHIM
#define ANY "/any"

/* ---- what libc would do ---- */

static long system_call(long number, long a, long b, long c, long d, long e)
{
#if defined __x86_64__
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = 0;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
#else
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = 0;

    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
#endif
}

static int fail_with(long code)
{
    if (__errno_location) {
        *__errno_location() = (int)code;
    }
    return -1;
}

static size_t length_of(const char *text)
{
    size_t length = 0;

    while (text[length] != '\0') {
        length++;
    }
    return length;
}

static bool begins_with(const char *text, const char *start)
{
    while (*start != '\0' && *text == *start) {
        text++;
        start++;
    }
    return *start == '\0';
}

static char *append(char *to, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        to[i] = text[i];
    }
    to[length] = '\0';
    return to + length;
}

/* A function of this object by its GNU hash table, as the loader finds it; 0: it has none. */
static uintptr_t address_in(const struct link_map *object, const char *name, uint32_t hash)
{
    const ElfW(Sym) *symbols = NULL;
    const uint16_t *versions = NULL;
    const uint32_t *table = NULL;
    const char *strings = NULL;

    for (const ElfW(Dyn) *entry = object->l_ld; entry->d_tag != DT_NULL; entry++) {
        uintptr_t at = entry->d_un.d_ptr;
        at += at < object->l_addr ? object->l_addr : 0;
        if (entry->d_tag == DT_SYMTAB) {
            symbols = (const void *)at;
        } else if (entry->d_tag == DT_STRTAB) {
            strings = (const void *)at;
        } else if (entry->d_tag == DT_VERSYM) {
            versions = (const void *)at;
        } else if (entry->d_tag == DT_GNU_HASH) {
            table = (const void *)at;
        }
    }
    if (!symbols || !strings || !table || table[0] == 0) {
        return 0;
    }
    const uint32_t *buckets = table + 4 + table[2] * (sizeof(uintptr_t) / sizeof *table);
    const uint32_t *chain = buckets + table[0];
    for (uint32_t i = buckets[hash % table[0]]; i >= table[1] && i != 0; i++) {
        uint32_t link = chain[i - table[1]];
        const char *found = strings + symbols[i].st_name;
        bool is_hidden = versions && (versions[i] & 0x8000) != 0;
        if ((link | 1) == (hash | 1) && !is_hidden && symbols[i].st_shndx != SHN_UNDEF &&
            begins_with(found, name) && length_of(found) == length_of(name)) {
            return object->l_addr + symbols[i].st_value;
        }
        if ((link & 1) != 0) {
            break;
        }
    }
    return 0;
}

/* The loader's list of objects. musl has it under another name; an object built with musl is loaded
 * into programs of both. */
static const struct link_map *all_objects(void)
{
#ifndef __GLIBC__
    if (&_dl_debug_addr) {
        return _dl_debug_addr->r_map;
    }
#endif
    return &_r_debug ? _r_debug.r_map : NULL;
}

static const struct link_map *own_object(void)
{
    const struct link_map *object = all_objects();

    while (object && object->l_ld != _DYNAMIC) {
        object = object->l_next;
    }
    return object;
}

/* The function of that name in the objects after this one, like dlsym(RTLD_NEXT). */
static uintptr_t next_function(const char *name)
{
    const struct link_map *object = own_object();
    uintptr_t address = 0;
    uint32_t hash = 5381;

    for (const char *at = name; *at != '\0'; at++) {
        hash = hash * 33 + (uint8_t)*at;
    }
    while (address == 0 && object && object->l_next) {
        object = object->l_next;
        address = address_in(object, name, hash);
    }
    if (address == 0 && dlsym) { /* a libc whose list or tables are others */
        address = (uintptr_t)dlsym(RTLD_NEXT, name);
    }
    return address;
}

/* ---- the list of preloaded objects ---- */

/* How the environment has to change for a program to be executed. */
typedef struct correction {
    enum { KEEP, DROP_VARIABLE, REPLACE_LIST } kind;
    size_t count;             /* variables */
    size_t index;             /* LD_PRELOAD's */
    size_t size;              /* of its new text, with the terminator */
    size_t before;            /* bytes of the old text to keep */
    const char *rest;         /* to keep behind them */
    const char *element;      /* to append; NULL: nothing */
    const char *platform_end; /* the end of its path before the folder of the platform */
} correction;

static bool is_separator(char letter)
{
    return letter == ':' || letter == ' ';
}

/* Whether the shim can be read, in the folder that exists for every architecture: an element of the
 * list names its folder by the loader's token $PLATFORM. */
static bool is_reachable(const char *element, size_t length)
{
    char path[PATH_SIZE];
    size_t folder = length - (sizeof SHIM - 1);

    while (folder > 0 && element[folder - 1] != '/') {
        folder--;
    }
    if (folder == 0 || folder + sizeof ANY + sizeof SHIM > sizeof path) {
        return false;
    }
    append(append(append(path, element, folder - 1), ANY, sizeof ANY - 1), SHIM, sizeof SHIM - 1);
#if defined __x86_64__
    return system_call(SYS_access, (long)path, R_OK, 0, 0, 0) == 0;
#else
    return system_call(SYS_faccessat, AT_FDCWD, (long)path, R_OK, 0, 0) == 0;
#endif
}

/* The shim's element of the list, and its length; NULL if none exists. */
static const char *find_shim(const char *list, size_t *length)
{
    for (const char *at = list; *at != '\0';) {
        size_t size = 0;
        while (at[size] != '\0' && !is_separator(at[size])) {
            size++;
        }
        if (size >= sizeof SHIM && begins_with(at + size - (sizeof SHIM - 1), SHIM)) {
            *length = size;
            return at;
        }
        at += size;
        at += *at != '\0';
    }
    return NULL;
}

static void plan_removal(correction *plan, const char *text, const char *element, size_t length)
{
    const char *rest = element + length;
    size_t before = (size_t)(element - text);

    rest += *rest != '\0';
    if (*rest == '\0' && before > sizeof PRELOAD - 1) {
        before--; /* the separator in front of it */
    }
    plan->kind = before + length_of(rest) > sizeof PRELOAD - 1 ? REPLACE_LIST : DROP_VARIABLE;
    plan->before = before;
    plan->rest = rest;
    plan->size = before + length_of(rest) + 1;
}

#define TOKEN "/$PLATFORM"

static void plan_addition(correction *plan, const char *text)
{
    const struct link_map *self = own_object();
    size_t length = self && self->l_name ? length_of(self->l_name) : 0;
    size_t folder;

    if (length < sizeof SHIM || !begins_with(self->l_name + length - (sizeof SHIM - 1), SHIM) ||
        !is_reachable(self->l_name, length)) {
        return;
    }
    folder = length - (sizeof SHIM - 1);
    while (folder > 0 && self->l_name[folder - 1] != '/') {
        folder--;
    }
    plan->kind = REPLACE_LIST;
    plan->before = length_of(text);
    plan->rest = "";
    plan->element = self->l_name;
    plan->platform_end = self->l_name + folder - 1;
    plan->size = plan->before + 1 + length + sizeof TOKEN + 1;
}

static void make_plan(correction *plan, char *const environment[])
{
    const char *text = NULL;
    bool is_recorded = false;
    size_t length;

    *plan = (correction){.kind = KEEP};
    if (!environment) {
        return;
    }
    for (; environment[plan->count]; plan->count++) {
        if (begins_with(environment[plan->count], PRELOAD)) {
            plan->index = plan->count;
            text = environment[plan->count];
        }
        is_recorded |= begins_with(environment[plan->count], RINGS);
    }
    if (!is_recorded || !text || text[sizeof PRELOAD - 1] == '\0' || plan->count > VARIABLES_MAX ||
        length_of(text) > LIST_MAX) {
        return;
    }
    const char *element = find_shim(text + sizeof PRELOAD - 1, &length);
    if (!element) {
        plan_addition(plan, text);
    } else if (!is_reachable(element, length)) {
        plan_removal(plan, text, element, length);
    }
}

static void write_list(const correction *plan, const char *old, char *text)
{
    char *end = append(text, old, plan->before);

    end = append(end, plan->rest, length_of(plan->rest));
    if (plan->element) {
        const char *shim = plan->platform_end + 1;
        size_t folder = 0;

        while (shim[folder] != '/') {
            folder++;
        }
        bool is_any = folder == sizeof ANY - 2 && begins_with(plan->platform_end, ANY);
        end = append(end, ":", 1);
        end = append(end, plan->element, (size_t)(plan->platform_end - plan->element));
        end = is_any ? append(end, ANY, sizeof ANY - 1) : append(end, TOKEN, sizeof TOKEN - 1);
        append(end, SHIM, sizeof SHIM - 1);
    }
}

/* An execution without its environment: the function and its other arguments. */
typedef struct execution {
    int (*run)(const struct execution *job, char *const environment[]);
    const char *file;
    char *const *arguments;
    int fd; /* of execveat */
    int flags;
    pid_t *pid; /* of posix_spawn, as all below */
    const posix_spawn_file_actions_t *actions;
    const posix_spawnattr_t *attributes;
    uintptr_t function; /* libc's own */
} execution;

static int run_corrected(const execution *job, char *const environment[])
{
    correction plan;

    make_plan(&plan, environment);
    if (plan.kind == KEEP) {
        return job->run(job, environment);
    }
    char **copy = alloca((plan.count + 1) * sizeof *copy);
    char *text = alloca(plan.size);
    size_t kept = 0;
    for (size_t i = 0; i < plan.count; i++) {
        if (i != plan.index) {
            copy[kept++] = environment[i];
        } else if (plan.kind == REPLACE_LIST) {
            write_list(&plan, environment[i], text);
            copy[kept++] = text;
        }
    }
    copy[kept] = NULL;
    return job->run(job, copy);
}

/* ---- exec ---- */

static long execute(const char *path, char *const arguments[], char *const environment[])
{
    return -system_call(SYS_execve, (long)path, (long)arguments, (long)environment, 0, 0);
}

static int run_path(const execution *job, char *const environment[])
{
    return fail_with(execute(job->file, job->arguments, environment));
}

/* The shell runs a script without a #! line. */
static long execute_text(const char *path, char *const arguments[], char *const environment[])
{
    static const char shell[] = "/bin/sh";
    size_t count = 0;

    while (arguments[count]) {
        count++;
    }
    if (count > ARGUMENTS_MAX) {
        return E2BIG;
    }
    char **copy = alloca((count + 3) * sizeof *copy);
    copy[0] = (char *)(uintptr_t)shell;
    copy[1] = (char *)(uintptr_t)path;
    copy[2] = NULL;
    for (size_t i = 1; i <= count; i++) {
        copy[i + 1] = arguments[i];
    }
    return execute(shell, copy, environment);
}

static long execute_file(const char *path, char *const arguments[], char *const environment[])
{
    long code = execute(path, arguments, environment);
    return code == ENOEXEC ? execute_text(path, arguments, environment) : code;
}

static const char *search_path(void)
{
    for (char **at = environ; at && *at; at++) {
        if (begins_with(*at, "PATH=")) {
            return *at + sizeof "PATH=" - 1;
        }
    }
    return "/bin:/usr/bin";
}

static bool continues_search(long code)
{
    return code == EACCES || code == ENOENT || code == ESTALE || code == ENOTDIR ||
           code == ENODEV || code == ETIMEDOUT;
}

/* Searches PATH like execvp(3). */
static int run_file(const execution *job, char *const environment[])
{
    size_t length = length_of(job->file);
    long code = ENOENT;
    bool is_denied = false;
    char path[PATH_SIZE + 256];

    for (const char *at = job->file; *at != '\0'; at++) {
        if (*at == '/') {
            return fail_with(execute_file(job->file, job->arguments, environment));
        }
    }
    if (length == 0) {
        return fail_with(ENOENT);
    }
    if (length > 255) {
        return fail_with(ENAMETOOLONG);
    }
    for (const char *folder = search_path();; folder++) {
        size_t size = 0;
        while (folder[size] != '\0' && folder[size] != ':') {
            size++;
        }
        if (size < PATH_SIZE - 1) {
            char *end = append(path, folder, size);
            end = append(end, "/", size > 0);
            append(end, job->file, length);
            code = execute_file(path, job->arguments, environment);
            if (!continues_search(code)) {
                return fail_with(code);
            }
            is_denied |= code == EACCES;
        }
        folder += size;
        if (*folder == '\0') {
            return fail_with(is_denied ? EACCES : code);
        }
    }
}

static int run_at(const execution *job, char *const environment[])
{
    return fail_with(-system_call(SYS_execveat, job->fd, (long)job->file, (long)job->arguments,
                                  (long)environment, job->flags));
}

static int exec_path(const char *path, char *const arguments[], char *const environment[])
{
    const execution one = {.run = run_path, .file = path, .arguments = arguments};
    return run_corrected(&one, environment);
}

static int exec_file(const char *file, char *const arguments[], char *const environment[])
{
    const execution one = {.run = run_file, .file = file, .arguments = arguments};
    return run_corrected(&one, environment);
}

static int exec_at(int fd, const char *path, char *const arguments[], char *const environment[],
                   int flags)
{
    const execution one = {
        .run = run_at, .file = path, .arguments = arguments, .fd = fd, .flags = flags};
    return run_corrected(&one, environment);
}

SHOWN int execve(const char *path, char *const arguments[], char *const environment[])
{
    return exec_path(path, arguments, environment);
}

SHOWN int execv(const char *path, char *const arguments[])
{
    return exec_path(path, arguments, environ);
}

SHOWN int execvpe(const char *file, char *const arguments[], char *const environment[])
{
    return exec_file(file, arguments, environment);
}

SHOWN int execvp(const char *file, char *const arguments[])
{
    return exec_file(file, arguments, environ);
}

SHOWN int execveat(int fd, const char *path, char *const arguments[], char *const environment[],
                   int flags)
{
    return exec_at(fd, path, arguments, environment, flags);
}

SHOWN int fexecve(int fd, char *const arguments[], char *const environment[])
{
    return exec_at(fd, "", arguments, environment, AT_EMPTY_PATH);
}

/* The arguments of execl, execlp and execle: counted first, then copied into an array. */
static size_t count_arguments(va_list list)
{
    size_t count = 1;

    while (va_arg(list, char *)) {
        count++;
    }
    return count;
}

/* `list` is a pointer: what the caller reads next is behind them on each architecture only then. */
static void copy_arguments(char **copy, const char *first, size_t count, va_list *list)
{
    copy[0] = (char *)(uintptr_t)first;
    for (size_t i = 1; i <= count; i++) {
        copy[i] = va_arg(*list, char *);
    }
}

SHOWN int execl(const char *path, const char *first, ...)
{
    va_list list;

    va_start(list, first);
    size_t count = count_arguments(list);
    va_end(list);
    char **arguments = alloca((count + 1) * sizeof *arguments);
    va_start(list, first);
    copy_arguments(arguments, first, count, &list);
    va_end(list);
    return exec_path(path, arguments, environ);
}

SHOWN int execlp(const char *file, const char *first, ...)
{
    va_list list;

    va_start(list, first);
    size_t count = count_arguments(list);
    va_end(list);
    char **arguments = alloca((count + 1) * sizeof *arguments);
    va_start(list, first);
    copy_arguments(arguments, first, count, &list);
    va_end(list);
    return exec_file(file, arguments, environ);
}

SHOWN int execle(const char *path, const char *first, ...)
{
    va_list list;

    va_start(list, first);
    size_t count = count_arguments(list);
    va_end(list);
    char **arguments = alloca((count + 1) * sizeof *arguments);
    va_start(list, first);
    copy_arguments(arguments, first, count, &list);
    char *const *environment = va_arg(list, char **);
    va_end(list);
    return exec_path(path, arguments, environment);
}

/* ---- what libc does itself ---- */

typedef int spawn(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                  const posix_spawnattr_t *attributes, char *const arguments[],
                  char *const environment[]);

static int run_spawn(const execution *job, char *const environment[])
{
    spawn *function = (spawn *)job->function;
    return function(job->pid, job->file, job->actions, job->attributes, job->arguments,
                    environment);
}

SHOWN int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                      const posix_spawnattr_t *attributes, char *const arguments[],
                      char *const environment[])
{
    const execution one = {
        run_spawn, path, arguments, 0, 0, pid, actions, attributes, next_function("posix_spawn")};
    return one.function != 0 ? run_corrected(&one, environment) : ENOSYS;
}

SHOWN int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attributes, char *const arguments[],
                       char *const environment[])
{
    const execution one = {
        run_spawn, file, arguments, 0, 0, pid, actions, attributes, next_function("posix_spawnp")};
    return one.function != 0 ? run_corrected(&one, environment) : ENOSYS;
}

/* These use the environment of the process itself. Its text is replaced, not overwritten, because
 * another thread may be reading it. */
static void correct_own_environment(void)
{
    correction plan;

    make_plan(&plan, environ);
    if (plan.kind == KEEP) {
        return;
    }
    long text = system_call(SYS_mmap, 0, (long)(plan.size > 4096 ? plan.size : 4096),
                            PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    if (text < 0 && text > -4096) {
        return;
    }
    if (plan.kind == DROP_VARIABLE) {
        append((char *)text, PRELOAD, sizeof PRELOAD - 1);
    } else {
        write_list(&plan, environ[plan.index], (char *)text);
    }
    environ[plan.index] = (char *)text;
}

typedef int run_shell(const char *command);
typedef FILE *open_shell(const char *command, const char *mode);

SHOWN int system(const char *command)
{
    run_shell *original = (run_shell *)next_function("system");

    correct_own_environment();
    return original ? original(command) : fail_with(ENOSYS);
}

SHOWN FILE *popen(const char *command, const char *mode)
{
    open_shell *original = (open_shell *)next_function("popen");

    correct_own_environment();
    if (!original) {
        (void)fail_with(ENOSYS);
        return NULL;
    }
    return original(command, mode);
}

#endif
