/* Nearly every build exports _PyRuntime: the program itself, or libpython. A program that links
 * Python statically may keep it in .symtab only, or, stripped, as the section .PyRuntime. */
#include "python_runtime.h"
#include "elf_file.h"

#include "record/inject/remote_memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RUNTIME "_PyRuntime"
#define RUNTIME_SECTION ".PyRuntime"

/* A symbol that a version has and the versions before do not, newest first. */
static const struct landmark {
    const char *name;
    uint32_t version;
} landmarks[] = {
    {"PyIter_Send", 0x030a0000},
    {"PyFrame_GetCode", 0x03090000},
    {"PyCode_NewWithPosOnlyArgs", 0x03080000},
};
#define LANDMARKS (sizeof landmarks / sizeof *landmarks)
/* A number, from 3.11 on. */
#define VERSION_VARIABLE "Py_Version"

static void read_version(mprof__python_runtime *out, const mprof__remote_memory *memory,
                         uint64_t address)
{
    unsigned long version;

    if (mprof__remote_memory_read(memory, &version, sizeof version, address) == 0 &&
        version >> 24 == 3 && version <= UINT32_MAX) {
        out->version = (uint32_t)version;
    }
}

/* ---- exported symbols ---- */

static bool find_exported(mprof__python_runtime *out, const mprof__remote_memory *memory,
                          const mprof__object *object)
{
    out->address = mprof__remote_memory_symbol(memory, object, RUNTIME);
    if (out->address == 0) {
        return false;
    }
    uint64_t variable = mprof__remote_memory_symbol(memory, object, VERSION_VARIABLE);
    if (variable != 0) {
        read_version(out, memory, variable);
    }
    for (size_t i = 0; i < LANDMARKS && out->version == 0; i++) {
        if (mprof__remote_memory_symbol(memory, object, landmarks[i].name) != 0) {
            out->version = landmarks[i].version;
        }
    }
    return true;
}

static bool is_named_python(const mprof__object *object)
{
    return strstr(object->name, "python") != NULL;
}

static bool find_in_objects(mprof__python_runtime *out, const mprof__remote_memory *memory,
                            bool named_python)
{
    size_t count;
    const mprof__object *objects = mprof__remote_memory_objects(memory, &count);

    for (size_t i = 0; i < count; i++) {
        if (is_named_python(&objects[i]) == named_python &&
            find_exported(out, memory, &objects[i])) {
            return true;
        }
    }
    return false;
}

/* ---- the program's file ---- */

/* Where the program is mapped: at its own path, else before all others. */
static uint64_t start_of_program(const mprof__object *objects, size_t count, const char *link)
{
    char path[4096];
    ssize_t length = readlink(link, path, sizeof path - 1);

    path[length > 0 ? length : 0] = '\0';
    for (size_t i = 0; i < count; i++) {
        if (strcmp(objects[i].path, path) == 0) {
            return objects[i].start;
        }
    }
    return objects[0].start;
}

static bool find_in_program(mprof__python_runtime *out, const mprof__remote_memory *memory,
                            int64_t pid)
{
    mprof__elf_symbol symbols[2 + LANDMARKS] = {{RUNTIME, 0}, {VERSION_VARIABLE, 0}};
    uint64_t section;
    char path[64];
    size_t count;
    const mprof__object *objects = mprof__remote_memory_objects(memory, &count);

    for (size_t i = 0; i < LANDMARKS; i++) {
        symbols[2 + i].name = landmarks[i].name;
    }
    snprintf(path, sizeof path, "/proc/%lld/exe", (long long)pid);
    int64_t first =
        count > 0 ? mprof__elf_file_read(path, symbols, 2 + LANDMARKS, RUNTIME_SECTION, &section)
                  : -1;
    if (first < 0 || (symbols[0].value == 0 && section == 0)) {
        return false;
    }
    uint64_t bias = start_of_program(objects, count, path) - (uint64_t)first;
    out->address = bias + (symbols[0].value != 0 ? symbols[0].value : section);
    if (symbols[1].value != 0) {
        read_version(out, memory, bias + symbols[1].value);
    }
    for (size_t i = 0; i < LANDMARKS && out->version == 0; i++) {
        if (symbols[2 + i].value != 0) {
            out->version = landmarks[i].version;
        }
    }
    return true;
}

/* Whether it has lost the memory that was looked at. */
static bool is_gone(const mprof__remote_memory *memory)
{
    size_t count;
    const mprof__object *objects = mprof__remote_memory_objects(memory, &count);
    char byte;

    return count == 0 || mprof__remote_memory_read(memory, &byte, 1, objects[0].start) != 0;
}

mprof_status mprof__python_runtime_find(mprof__python_runtime *out, int64_t pid, mprof_error *error)
{
    mprof__remote_memory *memory;

    memset(out, 0, sizeof *out);
    mprof_status status = mprof__remote_memory_open(&memory, pid, error);
    if (status != MPROF_OK) {
        return status;
    }
    if (!find_in_objects(out, memory, true) && !find_in_objects(out, memory, false) &&
        !find_in_program(out, memory, pid)) {
        status = mprof_error_set(error, MPROF_ENOTFOUND,
                                 is_gone(memory) ? "the process has ended or runs another program"
                                                 : "the process does not run Python");
    }
    mprof__remote_memory_free(memory);
    return status;
}
