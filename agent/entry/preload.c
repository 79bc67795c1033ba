/* The shim that LD_PRELOAD loads into every program of a recorded tree. In most of them it finds no
 * Python and does nothing more. In an interpreter it adds an audit hook (PEP 578) and loads the
 * agent at the first event after initialisation.
 *
 * It needs no library: programs of any libc map it, and every exec pays for each of its pages,
 * relocations and system calls: docs/decisions/0017-preload-a-shim-without-libraries.md. So it
 * names few symbols, and looks up all others only in an interpreter. All are weak, because a
 * missing one must not keep a program from starting. exec.c is the other half. */
#include "agent/events/wire.h"
#include "agent/noop_profile_text.h"

#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>

#pragma weak dlsym
#pragma weak PySys_AddAuditHook

struct _object;

typedef int audit_hook(const char *event, struct _object *arguments, void *data);
typedef int add_audit_hook(audit_hook *hook, void *data);
extern add_audit_hook PySys_AddAuditHook; /* null without Python */
typedef char *get_variable(const char *name);
typedef void *open_library(const char *path, int mode);
typedef int describe_address(const void *address, Dl_info *description);
typedef int visit_library(struct dl_phdr_info *library, size_t size, void *data);
typedef int each_library(visit_library *visit, void *data);
typedef int is_initialised(void);
typedef struct _object *get_item(struct _object *tuple, long index);
typedef int compare_text(struct _object *text, const char *ascii);
typedef bool agent_start(void);
typedef int run_text(const char *text);
typedef bool agent_event(const char *event, struct _object *arguments);

#define AGENT_FILE "/libmprof-agent.so"

/* PyMemAllocatorEx, and the functions that get and set that of a domain; the raw one is 0. */
typedef struct allocator {
    void *context;
    void *(*allocate)(void *context, size_t size);
    void *(*allocate_zeroed)(void *context, size_t count, size_t size);
    void *(*resize)(void *context, void *block, size_t size);
    void (*release)(void *context, void *block);
} allocator;
typedef void access_allocator(int domain, allocator *raw);

static is_initialised *interpreter_ready;
static get_item *tuple_item;
static compare_text *text_compare;
static agent_event *handle_event;
static bool is_decided; /* the agent was started, or never will be */

static bool is_recorded(void)
{
    get_variable *get = __extension__(get_variable *) dlsym(RTLD_DEFAULT, "getenv");
    return get && get("MPROF_RINGS");
}

static bool is_same(const char *left, const char *right)
{
    while (*left == *right && *left != '\0') {
        left++;
        right++;
    }
    return *left == *right;
}

/* The agent must not be loaded into programs with another libc than its own. glibc alone has this
 * function. */
static bool has_libc_of_agent(void)
{
    bool is_glibc = dlsym(RTLD_DEFAULT, "gnu_get_libc_version");
#ifdef __GLIBC__
    return is_glibc;
#else
    return !is_glibc;
#endif
}

/* The length of a path up to its last slash, without it. */
static size_t folder_of(const char *path, size_t length)
{
    while (length > 0 && path[length - 1] != '/') {
        length--;
    }
    return length > 0 ? length - 1 : 0;
}

/* The agent is in the same folder as the shim; LD_PRELOAD has a link to the shim two folders below.
 */
static void *open_agent(void)
{
    char path[4096];
    Dl_info self;
    open_library *open = __extension__(open_library *) dlsym(RTLD_DEFAULT, "dlopen");
    describe_address *describe = __extension__(describe_address *) dlsym(RTLD_DEFAULT, "dladdr");

    if (!open || !describe || describe(&is_decided, &self) == 0) {
        return NULL;
    }
    if (!has_libc_of_agent()) {
        return NULL;
    }
    size_t length = 0;
    while (self.dli_fname[length] != '\0') {
        length++;
    }
    size_t folder = folder_of(self.dli_fname, length);
    if (is_same(self.dli_fname + folder, "/" MPROF_WIRE_SHIM)) {
        folder = folder_of(self.dli_fname, folder_of(self.dli_fname, folder));
    }
    if (folder + sizeof AGENT_FILE > sizeof path) {
        return NULL;
    }
    for (size_t i = 0; i < folder; i++) {
        path[i] = self.dli_fname[i];
    }
    for (size_t i = 0; i < sizeof AGENT_FILE; i++) {
        path[folder + i] = AGENT_FILE[i];
    }
    return open(path, RTLD_NOW | RTLD_LOCAL);
}

static void start_agent(void)
{
    void *agent = open_agent();

    if (!agent) {
        /* not installed, or not loadable: programs with @profile must run all the same */
        run_text *run = __extension__(run_text *) dlsym(RTLD_DEFAULT, "PyRun_SimpleString");
        if (run) {
            run(mprof__noop_profile_text);
        }
    } else {
        agent_start *start = __extension__(agent_start *) dlsym(agent, "mprof_agent_start");
        agent_event *event = __extension__(agent_event *) dlsym(agent, "mprof_agent_event");
        if (start && event && start()) {
            handle_event = event;
        }
    }
}

static int on_event(const char *event, struct _object *arguments, void *data);

/* At its end CPython frees the entry of our hook with the current allocator. But the hook is added
 * before the allocator is chosen, and that of `-X dev` or PYTHONMALLOC=debug aborts on a block of
 * another allocator. So the entry is remembered, and freed by the allocator it came from. */
static access_allocator *get_allocator;
static access_allocator *set_allocator;
static allocator first;
static allocator final;
static void *entry;

static void *allocate_entry(void *context, size_t size)
{
    entry = first.allocate(context, size);
    return entry;
}

static void release_block(void *context, void *block)
{
    if (block == entry) {
        entry = NULL;
        first.release(first.context, block);
    } else {
        final.release(context, block);
    }
}

static void add_hook(add_audit_hook *add)
{
    allocator recording;

    get_allocator(0, &first);
    recording = first;
    recording.allocate = allocate_entry;
    set_allocator(0, &recording);
    add(on_event, NULL);
    set_allocator(0, &first);
}

static void before_hooks_are_freed(void)
{
    allocator dispatching;

    get_allocator(0, &final);
    if (entry && final.release != first.release && final.release != release_block) {
        dispatching = final;
        dispatching.release = release_block;
        set_allocator(0, &dispatching);
    }
}

/* The import of `site` runs the first code that is not the interpreter's own. The interpreter is
 * complete by then, but from 3.15 on it calls itself initialised only afterwards. */
static bool is_import_of_site(const char *event, struct _object *arguments)
{
    return is_same(event, "import") && text_compare(tuple_item(arguments, 0), "site") == 0;
}

static int on_event(const char *event, struct _object *arguments, void *data)
{
    (void)data;
    if (!is_decided && (interpreter_ready() || is_import_of_site(event, arguments))) {
        is_decided = true; /* first, because the start raises events of its own */
        start_agent();
    }
    if (handle_event ? handle_event(event, arguments)
                     : is_same(event, "cpython._PySys_ClearAuditHooks")) {
        before_hooks_are_freed();
    }
    return 0;
}

/* Adds the audit hook, once. */
static void hook_python(add_audit_hook *add)
{
    static bool is_hooked;

    if (is_hooked) {
        return;
    }
    interpreter_ready = __extension__(is_initialised *) dlsym(RTLD_DEFAULT, "Py_IsInitialized");
    tuple_item = __extension__(get_item *) dlsym(RTLD_DEFAULT, "PyTuple_GetItem");
    text_compare =
        __extension__(compare_text *) dlsym(RTLD_DEFAULT, "PyUnicode_CompareWithASCIIString");
    get_allocator = __extension__(access_allocator *) dlsym(RTLD_DEFAULT, "PyMem_GetAllocator");
    set_allocator = __extension__(access_allocator *) dlsym(RTLD_DEFAULT, "PyMem_SetAllocator");
    if (interpreter_ready && tuple_item && text_compare && get_allocator && set_allocator) {
        is_hooked = true;
        add_hook(add);
    }
}

/* The weak symbol is checked before any dlsym: one that finds nothing allocates its message. */
__attribute__((constructor)) static void start(void)
{
    if (PySys_AddAuditHook && dlsym && is_recorded()) {
        hook_python(PySys_AddAuditHook);
    }
}

/* Servers (uwsgi, Apache) load Python as a plugin, long after their start. All of them call one of
 * the Py_Initialize functions, which only embedding programs do. So this file exports these names;
 * each function looks for the interpreter again and calls the original. */

static int find_libpython(struct dl_phdr_info *library, size_t size, void *found)
{
    static const char part[] = "/libpython3";
    (void)size;
    for (const char *at = library->dlpi_name; at && *at != '\0'; at++) {
        size_t i = 0;
        while (part[i] != '\0' && at[i] == part[i]) {
            i++;
        }
        if (part[i] == '\0') {
            *(const char **)found = library->dlpi_name;
            return 1;
        }
    }
    return 0;
}

/* A plugin's libpython may be loaded with RTLD_LOCAL. The agent needs its symbols to be global,
 * like every extension module. */
static void make_libpython_global(void)
{
    open_library *open = __extension__(open_library *) dlsym(RTLD_DEFAULT, "dlopen");
    each_library *each = __extension__(each_library *) dlsym(RTLD_DEFAULT, "dl_iterate_phdr");
    const char *name = NULL;

    if (open && each && each(find_libpython, &name) != 0) {
        open(name, RTLD_LAZY | RTLD_GLOBAL | RTLD_NOLOAD);
    }
}

static add_audit_hook *find_add_audit_hook(void)
{
    return __extension__(add_audit_hook *) dlsym(RTLD_DEFAULT, "PySys_AddAuditHook");
}

static void hook_late_python(void)
{
    add_audit_hook *add = find_add_audit_hook();

    if (!add) {
        make_libpython_global();
        add = find_add_audit_hook();
    }
    if (add) {
        hook_python(add);
    }
}

static void *original(const char *name)
{
    if (!dlsym) {
        return NULL;
    }
    if (is_recorded()) {
        hook_late_python();
    }
    return dlsym(RTLD_NEXT, name);
}

typedef struct py_status {
    int kind;
    const char *function;
    const char *message;
    int exit_code;
} py_status;

typedef py_status initialize_from_config(const void *config);
typedef void initialize(void);
typedef void initialize_ex(int signals);

#define SHOWN __attribute__((visibility("default")))

SHOWN py_status Py_InitializeFromConfig(const void *config);
SHOWN void Py_Initialize(void);
SHOWN void Py_InitializeEx(int signals);

py_status Py_InitializeFromConfig(const void *config)
{
    static const py_status absent = {1, "Py_InitializeFromConfig", "there is no Python", 0};
    initialize_from_config *function =
        __extension__(initialize_from_config *) original("Py_InitializeFromConfig");
    return function ? function(config) : absent;
}

void Py_Initialize(void)
{
    initialize *function = __extension__(initialize *) original("Py_Initialize");
    if (function) {
        function();
    }
}

void Py_InitializeEx(int signals)
{
    initialize_ex *function = __extension__(initialize_ex *) original("Py_InitializeEx");
    if (function) {
        function(signals);
    }
}
