/* Any bytes as the memory of a Python: a version, a seed, and changes to a memory that is as it
 * should be. With a seed, bytes also change while they are read.
 *
 * Input: version (1 byte, modulo), seed (4 bytes), then changes of 4 bytes: where (3, modulo the
 * size in use) and what: a byte, or, with the highest bit of "where", one of its own addresses. */
#include "tests/unit/fake_python.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define SAMPLES 4
/* Calls of the reader in a sample. */
#define READS_MAX 40000

static const uint32_t versions[] = {0x0308, 0x0309, 0x030a, 0x030b, 0x030c, 0x030d};
#define VERSIONS (sizeof versions / sizeof *versions)

static uint32_t random_next(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/* Three threads with a few functions, one of them with a generator's frame elsewhere. */
static void build(fake_python *fake, uint32_t version)
{
    uint64_t codes[6];
    uint64_t frame = 0;

    fake_python_init(fake, version);
    for (size_t i = 0; i < 6; i++) {
        static const char *const names[] = {"main", "serve", "handle", "render", "load", "wait"};
        codes[i] = fake_code(fake, names[i], i % 2 ? "shop.py" : "<string>", (int32_t)i + 1);
    }
    for (size_t i = 0; i < 12; i++) {
        frame = fake_frame(fake, codes[i % 6], frame);
    }
    fake_thread(fake, frame, 1);
    fake_thread(fake, fake_frame(fake, codes[5], fake_frame(fake, codes[0], 0)), 2);
    fake_thread(fake, 0, 3);
}

static void change(fake_python *fake, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i + 4 <= size; i += 4) {
        uint32_t place = bytes[i] | (uint32_t)bytes[i + 1] << 8 | (uint32_t)bytes[i + 2] << 16;
        size_t at = (place & 0x7fffff) % (fake->used - 8);

        if (place & 0x800000) {
            uint64_t target = FAKE_BASE + (uint64_t)bytes[i + 3] * fake->used / 256 / 16 * 16;
            fake_poke(fake, FAKE_BASE + at / 8 * 8, target);
        } else {
            fake->bytes[at] = bytes[i + 3];
        }
    }
}

static uint32_t live_seed;

static void flip(fake_python *fake, uint64_t address, size_t size)
{
    uint32_t number = random_next(&live_seed);

    if (number % 16 == 0) { /* near what is read */
        size_t at = (size_t)(address - FAKE_BASE) + random_next(&live_seed) % (size + 1);
        fake->bytes[at % fake->used] = (unsigned char)(number >> 8);
    }
}

static void check(const mprof__python_sample *sample)
{
    size_t letters = 0;

    assert(sample->count <= MPROF__PYTHON_THREADS_MAX);
    for (size_t i = 0; i < sample->count; i++) {
        const mprof__python_thread *thread = &sample->threads[i];
        assert(thread->count <= MPROF__PYTHON_FRAMES_MAX);
        for (size_t j = 0; j < thread->count; j++) {
            const mprof__python_code *code = thread->frames[j].code;
            letters += strlen(code->name) + strlen(code->qualname) + strlen(code->module) +
                       strlen(code->file);
            assert(thread->frames[j].line >= 0);
        }
    }
    assert(letters < SIZE_MAX / 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    mprof__python_sample sample = {0};
    mprof_error error = MPROF_ERROR_INIT;
    mprof__python_stacks *stacks;
    fake_python fake;

    if (size < 5) {
        return 0;
    }
    build(&fake, versions[bytes[0] % VERSIONS]);
    memcpy(&live_seed, bytes + 1, sizeof live_seed);
    fake.size = (fake.used + 4095) / 4096 * 4096;
    mprof__target_memory memory = fake_python_memory(&fake);
    mprof__python_hints hints = fake_python_hints(&fake);
    bool is_described = fake.version > 0x030c;
    if (is_described) { /* the description may be damaged as well */
        change(&fake, bytes + 5, size - 5);
    }
    mprof_status status = mprof__python_stacks_open_memory(&stacks, &memory, 0, &hints, &error);
    if (!is_described) {
        change(&fake, bytes + 5, size - 5);
    }
    fake.before = live_seed ? flip : NULL;
    for (int i = 0; i < SAMPLES && status == MPROF_OK; i++) {
        fake.reads = 0;
        status = mprof__python_stacks_read(stacks, &sample, &error);
        assert(fake.reads < READS_MAX);
        assert(status != MPROF_OK || error.status == MPROF_OK);
        check(&sample);
    }
    assert(status == MPROF_OK || (error.message[0] && !strchr(error.message, '\n')));
    mprof__python_stacks_close(stacks);
    mprof__python_sample_free(&sample);
    fake_python_free(&fake);
    return 0;
}
