/* The shim that LD_PRELOAD puts into every program of a recorded tree. Nearly all of them are not
 * Python: there it finds no interpreter and does nothing more. Where there is one, it asks to be
 * told of audit events (PEP 578) and loads the agent at the first event of an initialised
 * interpreter.
 *
 * It needs no library of its own and leaves no symbol behind: it is mapped by programs of any libc,
 * and each page and relocation is paid at every exec. Symbols are weak, for in an older or another
 * libc some are missing, and a missing one must not keep a program from starting. */
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#pragma weak getenv
#pragma weak dlsym
#pragma weak dlopen
#pragma weak dladdr

struct _object;

typedef int audit_hook(const char *event, struct _object *arguments, void *data);
typedef int add_audit_hook(audit_hook *hook, void *data);
typedef int is_initialised(void);
typedef bool agent_start(void);
typedef void agent_event(const char *event, struct _object *arguments);

#define AGENT_FILE "libmprof-agent.so"

static is_initialised *interpreter_ready;
static agent_event *tell_agent;
static bool is_decided; /* the agent was started, or never will be */

/* The agent lies beside this file. */
static void *open_agent(void)
{
    char path[4096];
    Dl_info self;

    if (dladdr == NULL || dlopen == NULL || dladdr(&is_decided, &self) == 0) {
        return NULL;
    }
    size_t length = 0;
    size_t folder = 0;
    while (self.dli_fname[length] != '\0') {
        if (self.dli_fname[length++] == '/') {
            folder = length;
        }
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
    return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

static void start_agent(void)
{
    void *agent = open_agent();

    if (agent != NULL) {
        agent_start *start = __extension__(agent_start *) dlsym(agent, "mprof_agent_start");
        agent_event *event = __extension__(agent_event *) dlsym(agent, "mprof_agent_event");
        if (start != NULL && event != NULL && start()) {
            tell_agent = event;
        }
    }
}

static int on_event(const char *event, struct _object *arguments, void *data)
{
    (void)data;
    if (!is_decided && interpreter_ready()) {
        is_decided = true; /* first: starting raises events of its own */
        start_agent();
    }
    if (tell_agent != NULL) {
        tell_agent(event, arguments);
    }
    return 0;
}

__attribute__((constructor)) static void look_for_python(void)
{
    if (getenv == NULL || dlsym == NULL || getenv("MPROF_RINGS") == NULL) {
        return;
    }
    add_audit_hook *add = __extension__(add_audit_hook *) dlsym(RTLD_DEFAULT, "PySys_AddAuditHook");
    if (add == NULL) {
        return;
    }
    interpreter_ready = __extension__(is_initialised *) dlsym(RTLD_DEFAULT, "Py_IsInitialized");
    if (interpreter_ready != NULL) {
        add(on_event, NULL);
    }
}
