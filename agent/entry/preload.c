/* The shim that LD_PRELOAD puts into every program of a recorded tree. Nearly all of them are not
 * Python: there it finds no interpreter and does nothing more. Where there is one, it asks to be
 * told of audit events (PEP 578) and loads the agent at the first event of an initialised
 * interpreter.
 *
 * It needs no library of its own: it is mapped by programs of any libc, and each page, relocation
 * and system call is paid at every exec: docs/decisions/0017-preload-a-shim-without-libraries.md.
 * So it names few symbols and looks up all others where there is an interpreter. All are weak, for
 * a missing one must not keep a program from starting. exec.c is its other half. */
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
extern add_audit_hook PySys_AddAuditHook; /* null where there is no Python */
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

/* PyMemAllocatorEx and the accessors of its raw domain (number 0). */
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
static agent_event *tell_agent;
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

/* The part of a path up to its last slash, without it. */
static size_t folder_of(const char *path, size_t length)
{
    while (length > 0 && path[length - 1] != '/') {
        length--;
    }
    return length > 0 ? length - 1 : 0;
}

/* The agent lies beside this file, whose link in LD_PRELOAD lies two folders further down. */
static void *open_agent(void)
{
    char path[4096];
    Dl_info self;
    open_library *open = __extension__(open_library *) dlsym(RTLD_DEFAULT, "dlopen");
    describe_address *describe = __extension__(describe_address *) dlsym(RTLD_DEFAULT, "dladdr");

    if (!open || !describe || describe(&is_decided, &self) == 0) {
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
        /* not installed, or not to be loaded: a program that says @profile runs all the same */
        run_text *run = __extension__(run_text *) dlsym(RTLD_DEFAULT, "PyRun_SimpleString");
        if (run) {
            run(mprof__noop_profile_text);
        }
    } else {
        agent_start *start = __extension__(agent_start *) dlsym(agent, "mprof_agent_start");
        agent_event *event = __extension__(agent_event *) dlsym(agent, "mprof_agent_event");
        if (start && event && start()) {
            tell_agent = event;
        }
    }
}

static int on_event(const char *event, struct _object *arguments, void *data);

/* CPython frees the entry of our hook with the allocator that is in force at its end. But the hook
 * is older than the choice of an allocator, and `-X dev` or PYTHONMALLOC=debug chooses one that
 * aborts on a block it did not hand out. So the entry is remembered, and freed by what allocated
 * it. */
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
    allocator remembering;

    get_allocator(0, &first);
    remembering = first;
    remembering.allocate = allocate_entry;
    set_allocator(0, &remembering);
    add(on_event, NULL);
    set_allocator(0, &first);
}

static void before_hooks_are_freed(void)
{
    allocator sorting;

    get_allocator(0, &final);
    if (entry && final.release != first.release && final.release != release_block) {
        sorting = final;
        sorting.release = release_block;
        set_allocator(0, &sorting);
    }
}

/* The module `site` is the first code of others to run, in a complete interpreter; yet from 3.15 on
 * that calls itself initialised only behind it. */
static bool is_import_of_site(const char *event, struct _object *arguments)
{
    return is_same(event, "import") && text_compare(tuple_item(arguments, 0), "site") == 0;
}

static int on_event(const char *event, struct _object *arguments, void *data)
{
    (void)data;
    if (!is_decided && (interpreter_ready() || is_import_of_site(event, arguments))) {
        is_decided = true; /* first: starting raises events of its own */
        start_agent();
    }
    if (tell_agent ? tell_agent(event, arguments)
                   : is_same(event, "cpython._PySys_ClearAuditHooks")) {
        before_hooks_are_freed();
    }
    return 0;
}

/* Asks the interpreter for its events; once. */
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

/* What the linker has found is looked at before anything is looked up: a dlsym that finds nothing
 * allocates its message. */
__attribute__((constructor)) static void start(void)
{
    if (PySys_AddAuditHook && dlsym && is_recorded()) {
        hook_python(PySys_AddAuditHook);
    }
}

/* Servers (uwsgi, Apache) load Python as a plugin when they are long started. They all come by one
 * of these functions of CPython, which nobody else calls: the only names that this file shows to
 * others. Each looks once more for the interpreter, and goes on to the function that was meant. */

static int look_at_library(struct dl_phdr_info *library, size_t size, void *found)
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

/* A plugin's libpython may be private to it. The agent needs it to be seen by all, as every module
 * of Python's that is written in C does. */
static void show_libpython(void)
{
    open_library *open = __extension__(open_library *) dlsym(RTLD_DEFAULT, "dlopen");
    each_library *each = __extension__(each_library *) dlsym(RTLD_DEFAULT, "dl_iterate_phdr");
    const char *name = NULL;

    if (open && each && each(look_at_library, &name) != 0) {
        open(name, RTLD_LAZY | RTLD_GLOBAL | RTLD_NOLOAD);
    }
}

static add_audit_hook *find_python(void)
{
    return __extension__(add_audit_hook *) dlsym(RTLD_DEFAULT, "PySys_AddAuditHook");
}

static void look_for_python(void)
{
    add_audit_hook *add = find_python();

    if (!add) {
        show_libpython();
        add = find_python();
    }
    if (add) {
        hook_python(add);
    }
}

static void *meant(const char *name)
{
    if (!dlsym) {
        return NULL;
    }
    if (is_recorded()) {
        look_for_python();
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
        __extension__(initialize_from_config *) meant("Py_InitializeFromConfig");
    return function ? function(config) : absent;
}

void Py_Initialize(void)
{
    initialize *function = __extension__(initialize *) meant("Py_Initialize");
    if (function) {
        function();
    }
}

void Py_InitializeEx(int signals)
{
    initialize_ex *function = __extension__(initialize_ex *) meant("Py_InitializeEx");
    if (function) {
        function(signals);
    }
}
