#include "fake_python.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define THREAD_SIZE 512
#define HOLDER_AT 256 /* within a thread's block */
#define INTERPRETER_SIZE 8192
#define RUNTIME_SIZE 1536

/* What 3.13 says of itself: places of numbers in its description, and their values. */
static const struct {
    unsigned place;
    uint64_t value;
} description[] = {
    {1, 0x030d00f0}, {5, 632},   {7, 7272}, {8, 7264}, {9, 7344}, {14, 16},  {15, 7752},
    {17, 7768},      {18, 7760}, {21, 8},   {22, 16},  {23, 72},  {24, 152}, {25, 160},
    {29, 8},         {30, 0},    {31, 56},  {33, 70},  {35, 112}, {36, 120}, {37, 128},
    {38, 136},       {39, 68},   {43, 200}, {45, 8},   {47, 24},  {57, 32},  {58, 40},
    {65, 16},        {66, 32},   {68, 32},  {69, 16},  {70, 40},
};

void fake_poke(fake_python *fake, uint64_t address, uint64_t number)
{
    assert(address >= FAKE_BASE && address + sizeof number <= FAKE_BASE + FAKE_SIZE);
    memcpy(fake->bytes + (address - FAKE_BASE), &number, sizeof number);
}

uint64_t fake_peek(const fake_python *fake, uint64_t address)
{
    uint64_t number;

    assert(address >= FAKE_BASE && address + sizeof number <= FAKE_BASE + FAKE_SIZE);
    memcpy(&number, fake->bytes + (address - FAKE_BASE), sizeof number);
    return number;
}

static void poke_half(fake_python *fake, uint64_t address, uint32_t number)
{
    memcpy(fake->bytes + (address - FAKE_BASE), &number, sizeof number);
}

static uint64_t take(fake_python *fake, size_t size)
{
    uint64_t address = FAKE_BASE + fake->used;

    fake->used += (size + 15) / 16 * 16;
    assert(fake->used <= FAKE_SIZE);
    return address;
}

static uint64_t put_bytes(fake_python *fake, const void *bytes, size_t size)
{
    uint64_t address = take(fake, MPROF__BYTES_DATA + size);

    fake_poke(fake, address + MPROF__BYTES_SIZE, size);
    memcpy(fake->bytes + (address + MPROF__BYTES_DATA - FAKE_BASE), bytes, size);
    return address;
}

uint64_t fake_text(fake_python *fake, const char *text)
{
    size_t size = strlen(text);
    uint64_t address = take(fake, fake->layout.text_ascii + size + 1);

    fake_poke(fake, address + MPROF__TEXT_LENGTH, size);
    poke_half(fake, address + MPROF__TEXT_STATE, 1u << 2 | 1u << 5 | 1u << 6);
    memcpy(fake->bytes + (address + fake->layout.text_ascii - FAKE_BASE), text, size);
    return address;
}

uint64_t fake_globals(fake_python *fake, const char *module)
{
    uint64_t dict = take(fake, 64);
    uint64_t keys = take(fake, 256);
    uint64_t entries;

    fake_poke(fake, dict + MPROF__DICT_KEYS, keys);
    if (fake->layout.has_small_keys) {
        fake->bytes[keys + 8 - FAKE_BASE] = 3;
        fake->bytes[keys + 9 - FAKE_BASE] = 3;
        fake->bytes[keys + 10 - FAKE_BASE] = 1;
        fake_poke(fake, keys + 24, 1);
        entries = keys + 32 + 8;
    } else {
        fake_poke(fake, keys + 8, 8);
        fake_poke(fake, keys + 32, 1);
        entries = keys + 40 + 8 + 8;
    }
    fake_poke(fake, entries, fake_text(fake, "__name__"));
    fake_poke(fake, entries + 8, fake_text(fake, module));
    return dict;
}

uint64_t fake_code(fake_python *fake, const char *name, const char *file, int32_t line)
{
    const mprof__python_layout *layout = &fake->layout;
    uint64_t address = take(fake, 256);

    fake_poke(fake, address + MPROF__OBJECT_TYPE, fake->code_type);
    fake_poke(fake, address + layout->code_name, fake_text(fake, name));
    if (layout->code_qualname != MPROF__NO_FIELD) {
        fake_poke(fake, address + layout->code_qualname, fake_text(fake, name));
    }
    fake_poke(fake, address + layout->code_file, fake_text(fake, file));
    fake_poke(fake, address + layout->code_lines, put_bytes(fake, "", 0));
    fake_poke(fake, address + layout->code_consts, put_bytes(fake, "", 0));
    poke_half(fake, address + layout->code_first_line, (uint32_t)line);
    return address;
}

uint64_t fake_frame(fake_python *fake, uint64_t code, uint64_t previous)
{
    uint64_t address = take(fake, fake->layout.frame_size + 16u);

    fake_poke(fake, address + fake->layout.frame_code, code);
    fake_poke(fake, address + fake->layout.frame_previous, previous);
    fake_poke(fake, address + fake->layout.frame_globals, fake->globals);
    if (fake->layout.frame_executing != MPROF__NO_FIELD) {
        fake->bytes[address + fake->layout.frame_executing - FAKE_BASE] = fake->layout.executing;
    }
    return address;
}

uint64_t fake_root(const fake_python *fake, uint64_t thread)
{
    return fake->layout.holder_frame != MPROF__NO_FIELD
               ? thread + HOLDER_AT + fake->layout.holder_frame
               : thread + fake->layout.thread_frame;
}

uint64_t fake_thread(fake_python *fake, uint64_t frame, uint64_t native_id)
{
    const mprof__python_layout *layout = &fake->layout;
    uint64_t address = take(fake, THREAD_SIZE);

    fake_poke(fake, address + layout->thread_next, fake->last_thread);
    fake_poke(fake, address + layout->thread_interpreter, fake->interpreter);
    if (layout->thread_native_id != MPROF__NO_FIELD) {
        fake_poke(fake, address + layout->thread_native_id, native_id);
    }
    if (layout->holder_frame != MPROF__NO_FIELD) {
        fake_poke(fake, address + layout->thread_frame, address + HOLDER_AT);
    }
    fake_poke(fake, fake_root(fake, address), frame);
    fake->last_thread = address;
    fake_poke(fake, fake->interpreter + layout->interpreter_threads, address);
    return address;
}

/* ---- the reader ---- */

static bool is_mapped(const fake_python *fake, uint64_t address, size_t size)
{
    return address >= FAKE_BASE && address - FAKE_BASE <= fake->size &&
           size <= fake->size - (size_t)(address - FAKE_BASE);
}

static ssize_t read_fake(void *context, const struct iovec *local, const struct iovec *remote,
                         size_t count)
{
    fake_python *fake = context;
    ssize_t sum = 0;

    fake->reads++;
    if (fake->failure != 0) {
        errno = fake->failure;
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t address = (uint64_t)(uintptr_t)remote[i].iov_base;

        fake->pieces++;
        if (!is_mapped(fake, address, remote[i].iov_len)) {
            errno = EFAULT;
            return sum > 0 ? sum : -1;
        }
        if (fake->before) {
            fake->before(fake, address, remote[i].iov_len);
        }
        memcpy(local[i].iov_base, fake->bytes + (address - FAKE_BASE), remote[i].iov_len);
        sum += (ssize_t)remote[i].iov_len;
    }
    return sum;
}

mprof__target_memory fake_python_memory(fake_python *fake)
{
    return (mprof__target_memory){read_fake, fake};
}

mprof__python_hints fake_python_hints(const fake_python *fake)
{
    return (mprof__python_hints){fake->runtime, fake->version << 16};
}

/* ---- the interpreter ---- */

static void describe(fake_python *fake)
{
    uint64_t numbers[MPROF__PYTHON_DESCRIPTION_SIZE / sizeof(uint64_t)] = {0};
    uint32_t version;

    memcpy(numbers, "xdebugpy", 8);
    for (size_t i = 0; i < sizeof description / sizeof *description; i++) {
        numbers[description[i].place] = description[i].value;
    }
    mprof__python_description kind =
        mprof__python_layout_described(&fake->layout, &version, numbers, sizeof numbers);
    assert(kind == MPROF__DESCRIBES_LAYOUT);
    /* the description would lie over the list of interpreters */
    size_t size = 584;
    memcpy(fake->bytes + (fake->runtime - FAKE_BASE), numbers, size);
}

void fake_python_init(fake_python *fake, uint32_t version)
{
    memset(fake, 0, sizeof *fake);
    fake->bytes = calloc(1, FAKE_SIZE);
    assert(fake->bytes);
    fake->size = FAKE_SIZE;
    fake->version = version;
    fake->runtime = take(fake, RUNTIME_SIZE);
    if (!mprof__python_layout_of_version(&fake->layout, version)) {
        describe(fake);
    }
    fake->interpreter = take(fake, INTERPRETER_SIZE);
    fake_poke(fake, fake->runtime + fake->layout.runtime_interpreters, fake->interpreter);
    fake->code_type = take(fake, 64);
    uint64_t name = take(fake, 16);
    memcpy(fake->bytes + (name - FAKE_BASE), "code", 5);
    fake_poke(fake, fake->code_type + MPROF__TYPE_NAME, name);
    fake->globals = fake_globals(fake, "shop");
}

void fake_python_free(fake_python *fake)
{
    free(fake->bytes);
    memset(fake, 0, sizeof *fake);
}
