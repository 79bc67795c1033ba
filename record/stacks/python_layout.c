/* The numbers come from compiling offsetof() with each version's headers; the test stacks.layouts
 * does it again with the headers that are installed. */
#include "python_layout.h"

#include <string.h>

#define NONE MPROF__NO_FIELD

/* 3.8.0 to 3.12.x: patch releases agree. Debug builds have the same layout. */
static const mprof__python_layout tables[] = {
    {
        .version = 0x0308,
        .runtime_interpreters = 32,
        .runtime_gil_holder = 1160,
        .runtime_gil_locked = 1168,
        .interpreter_next = 0,
        .interpreter_id = 16,
        .interpreter_threads = 8,
        .interpreter_gil = NONE,
        .thread_next = 8,
        .thread_interpreter = 16,
        .thread_frame = 24,
        .holder_frame = NONE,
        .thread_id = 176,
        .thread_native_id = NONE,
        .frame_size = 117,
        .frame_previous = 24,
        .frame_code = 32,
        .frame_globals = 48,
        .frame_instruction = 104,
        .frame_stacktop = NONE,
        .frame_is_entry = NONE,
        .frame_executing = 116,
        .executing = 1,
        .frame_owner = NONE,
        .code_size = 176,
        .code_name = 112,
        .code_qualname = NONE,
        .code_file = 104,
        .code_first_line = 40,
        .code_lines = 120,
        .code_consts = 56,
        .code_version = NONE,
        .code_bytecode = NONE,
        .text_ascii = 48,
        .text_compact = 72,
        .has_small_keys = 0,
        .lines = MPROF__LINES_LNOTAB,
    },
    {
        .version = 0x0309,
        .runtime_interpreters = 32,
        .runtime_gil_holder = 360,
        .runtime_gil_locked = 368,
        .interpreter_next = 0,
        .interpreter_id = 24,
        .interpreter_threads = 8,
        .interpreter_gil = NONE,
        .thread_next = 8,
        .thread_interpreter = 16,
        .thread_frame = 24,
        .holder_frame = NONE,
        .thread_id = 176,
        .thread_native_id = NONE,
        .frame_size = 117,
        .frame_previous = 24,
        .frame_code = 32,
        .frame_globals = 48,
        .frame_instruction = 104,
        .frame_stacktop = NONE,
        .frame_is_entry = NONE,
        .frame_executing = 116,
        .executing = 1,
        .frame_owner = NONE,
        .code_size = 176,
        .code_name = 112,
        .code_qualname = NONE,
        .code_file = 104,
        .code_first_line = 40,
        .code_lines = 120,
        .code_consts = 56,
        .code_version = NONE,
        .code_bytecode = NONE,
        .text_ascii = 48,
        .text_compact = 72,
        .has_small_keys = 0,
        .lines = MPROF__LINES_LNOTAB,
    },
    {
        .version = 0x030a,
        .runtime_interpreters = 32,
        .runtime_gil_holder = 360,
        .runtime_gil_locked = 368,
        .interpreter_next = 0,
        .interpreter_id = 24,
        .interpreter_threads = 8,
        .interpreter_gil = NONE,
        .thread_next = 8,
        .thread_interpreter = 16,
        .thread_frame = 24,
        .holder_frame = NONE,
        .thread_id = 176,
        .thread_native_id = NONE,
        .frame_size = 109,
        .frame_previous = 24,
        .frame_code = 32,
        .frame_globals = 48,
        .frame_instruction = 96,
        .frame_stacktop = NONE,
        .frame_is_entry = NONE,
        .frame_executing = 108,
        .executing = 0,
        .frame_owner = NONE,
        .code_size = 176,
        .code_name = 112,
        .code_qualname = NONE,
        .code_file = 104,
        .code_first_line = 40,
        .code_lines = 120,
        .code_consts = 56,
        .code_version = NONE,
        .code_bytecode = NONE,
        .text_ascii = 48,
        .text_compact = 72,
        .has_small_keys = 0,
        .lines = MPROF__LINES_3_10,
    },
    {
        .version = 0x030b,
        .runtime_interpreters = 40,
        .runtime_gil_holder = 368,
        .runtime_gil_locked = 376,
        .interpreter_next = 0,
        .interpreter_id = 48,
        .interpreter_threads = 16,
        .interpreter_gil = NONE,
        .thread_next = 8,
        .thread_interpreter = 16,
        .thread_frame = 56,
        .holder_frame = 8,
        .thread_id = 152,
        .thread_native_id = 160,
        .frame_size = 72,
        .frame_previous = 48,
        .frame_code = 32,
        .frame_globals = 8,
        .frame_instruction = 56,
        .frame_stacktop = 64,
        .frame_is_entry = 68,
        .frame_executing = NONE,
        .frame_owner = 69,
        .first_shim_owner = 3,
        .code_size = 184,
        .code_name = 120,
        .code_qualname = 128,
        .code_file = 112,
        .code_first_line = 72,
        .code_lines = 136,
        .code_consts = 24,
        .code_version = NONE,
        .code_bytecode = 184,
        .text_ascii = 48,
        .text_compact = 72,
        .has_small_keys = 1,
        .lines = MPROF__LINES_3_11,
    },
    {
        .version = 0x030c,
        .runtime_interpreters = 40,
        .runtime_gil_holder = NONE,
        .runtime_gil_locked = NONE,
        .interpreter_next = 0,
        .interpreter_id = 8,
        .interpreter_threads = 72,
        .interpreter_gil = 384,
        .gil_holder = 8,
        .gil_locked = 16,
        .thread_next = 8,
        .thread_interpreter = 16,
        .thread_frame = 56,
        .holder_frame = 0,
        .thread_id = 136,
        .thread_native_id = 144,
        .frame_size = 72,
        .frame_previous = 8,
        .frame_code = 0,
        .frame_globals = 24,
        .frame_instruction = 56,
        .frame_stacktop = 64,
        .frame_is_entry = NONE,
        .frame_executing = NONE,
        .frame_owner = 70,
        .first_shim_owner = 3,
        .code_size = 192,
        .code_name = 120,
        .code_qualname = 128,
        .code_file = 112,
        .code_first_line = 68,
        .code_lines = 136,
        .code_consts = 24,
        .code_version = 92,
        .code_bytecode = 192,
        .text_ascii = 40,
        .text_compact = 56,
        .has_small_keys = 1,
        .lines = MPROF__LINES_3_11,
    },
};

bool mprof__python_layout_of_version(mprof__python_layout *out, uint32_t version)
{
    uint32_t minor = version > UINT16_MAX ? version >> 16 : version;

    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        if (tables[i].version == minor) {
            *out = tables[i];
            return true;
        }
    }
    return false;
}

/* ---- from 3.13 on: _Py_DebugOffsets, numbers of 64 bits ---- */

#define COOKIE "xdebugpy"

/* The place of a field's offset in the description. */
typedef struct places {
    uint16_t version;
    uint8_t interpreters;
    uint8_t interpreter_id;
    uint8_t interpreter_next;
    uint8_t interpreter_threads;
    uint8_t interpreter_gil;
    uint8_t own_gil; /* the GIL within an interpreter, and two of its fields */
    uint8_t own_gil_locked;
    uint8_t own_gil_holder;
    uint8_t thread_next;
    uint8_t thread_interpreter;
    uint8_t thread_frame;
    uint8_t thread_id;
    uint8_t thread_native_id;
    uint8_t frame_previous;
    uint8_t frame_code;
    uint8_t frame_instruction;
    uint8_t frame_owner;
    uint8_t code_file;
    uint8_t code_name;
    uint8_t code_qualname;
    uint8_t code_lines;
    uint8_t code_first_line;
    uint8_t code_bytecode;
    uint8_t object_type;
    uint8_t type_name;
    uint8_t dict_keys;
    uint8_t dict_values;
    uint8_t bytes_size;
    uint8_t bytes_data;
    uint8_t text_state;
    uint8_t text_length;
    uint8_t text_ascii;
    uint8_t first_shim_owner;
    bool has_stacktop;
} places;

static const places all_places[] = {
    {0x030d, 5,  7,  8,  9,  14, 15, 17, 18, 21, 22, 23, 24, 25, 29, 30, 31,  33,
     35,     36, 37, 38, 39, 43, 45, 47, 57, 58, 65, 66, 68, 69, 70, 3,  true},
    {0x030e, 5,  7,  8,  9,  15, 16, 18, 19, 24, 25, 26, 27, 28, 32, 33, 34,   36,
     40,     41, 42, 43, 44, 48, 51, 53, 67, 68, 75, 76, 78, 79, 80, 3,  false},
    {0x030f, 5,  7,  8,  9,  15, 16, 18, 19, 24, 25, 26, 30, 31, 40, 41, 42,   44,
     48,     49, 50, 51, 52, 56, 59, 61, 79, 80, 87, 88, 90, 91, 92, 3,  false},
};

/* An offset of the description; no field if it is out of all reason. */
static uint16_t offset_at(const uint64_t *numbers, unsigned place)
{
    return numbers[place] < 32768 ? (uint16_t)numbers[place] : NONE;
}

/* The fields that the description does not have, or that must be where they always were. */
static bool is_as_expected(const places *at, const uint64_t *numbers)
{
    return numbers[at->object_type] == MPROF__OBJECT_TYPE &&
           numbers[at->type_name] == MPROF__TYPE_NAME &&
           numbers[at->dict_keys] == MPROF__DICT_KEYS &&
           numbers[at->dict_values] == MPROF__DICT_VALUES &&
           numbers[at->bytes_size] == MPROF__BYTES_SIZE &&
           numbers[at->bytes_data] == MPROF__BYTES_DATA &&
           numbers[at->text_state] == MPROF__TEXT_STATE &&
           numbers[at->text_length] == MPROF__TEXT_LENGTH && numbers[at->text_ascii] == 40 &&
           numbers[at->frame_code] == 0 && numbers[at->frame_previous] == 8 &&
           numbers[at->frame_instruction] == 56 && numbers[at->frame_owner] >= 64 &&
           numbers[at->frame_owner] < 128 && numbers[at->code_bytecode] >= 128 &&
           numbers[at->code_bytecode] <= MPROF__CODE_BYTES;
}

/* Whether a field of 8 bytes lies within so many. */
static bool is_within(uint16_t field, uint16_t size)
{
    return field != NONE && field + 8 <= size;
}

static bool has_all_fields(const mprof__python_layout *layout)
{
    return layout->runtime_interpreters != NONE && layout->interpreter_next != NONE &&
           layout->interpreter_id != NONE && layout->interpreter_threads != NONE &&
           is_within(layout->thread_next, MPROF__THREAD_BYTES) &&
           is_within(layout->thread_interpreter, MPROF__THREAD_BYTES) &&
           is_within(layout->thread_frame, MPROF__THREAD_BYTES) &&
           is_within(layout->thread_id, MPROF__THREAD_BYTES) &&
           is_within(layout->thread_native_id, MPROF__THREAD_BYTES) &&
           layout->frame_size <= MPROF__FRAME_BYTES && layout->code_size <= MPROF__CODE_BYTES &&
           is_within(layout->code_name, layout->code_size) &&
           is_within(layout->code_qualname, layout->code_size) &&
           is_within(layout->code_file, layout->code_size) &&
           is_within(layout->code_first_line, layout->code_size) &&
           is_within(layout->code_lines, layout->code_size);
}

static void fill(mprof__python_layout *out, const places *at, const uint64_t *numbers)
{
    memset(out, 0, sizeof *out);
    out->version = at->version;
    out->runtime_interpreters = offset_at(numbers, at->interpreters);
    out->runtime_gil_holder = NONE;
    out->runtime_gil_locked = NONE;
    out->interpreter_next = offset_at(numbers, at->interpreter_next);
    out->interpreter_id = offset_at(numbers, at->interpreter_id);
    out->interpreter_threads = offset_at(numbers, at->interpreter_threads);
    out->interpreter_gil = offset_at(numbers, at->interpreter_gil);
    out->gil_holder = (uint16_t)(numbers[at->own_gil_holder] - numbers[at->own_gil]);
    out->gil_locked = (uint16_t)(numbers[at->own_gil_locked] - numbers[at->own_gil]);
    if (out->gil_holder > 256 || out->gil_locked > 256) {
        out->interpreter_gil = NONE;
    }
    out->thread_next = offset_at(numbers, at->thread_next);
    out->thread_interpreter = offset_at(numbers, at->thread_interpreter);
    out->thread_frame = offset_at(numbers, at->thread_frame);
    out->holder_frame = NONE;
    out->thread_id = offset_at(numbers, at->thread_id);
    out->thread_native_id = offset_at(numbers, at->thread_native_id);
    out->frame_previous = offset_at(numbers, at->frame_previous);
    out->frame_code = offset_at(numbers, at->frame_code);
    out->frame_globals = 24;
    out->frame_instruction = offset_at(numbers, at->frame_instruction);
    out->frame_stacktop = at->has_stacktop ? 64 : NONE;
    out->frame_is_entry = NONE;
    out->frame_executing = NONE;
    out->frame_owner = offset_at(numbers, at->frame_owner);
    out->frame_size = (uint16_t)(out->frame_owner + 1);
    out->first_shim_owner = at->first_shim_owner;
    out->code_bytecode = offset_at(numbers, at->code_bytecode);
    out->code_size = out->code_bytecode;
    out->code_name = offset_at(numbers, at->code_name);
    out->code_qualname = offset_at(numbers, at->code_qualname);
    out->code_file = offset_at(numbers, at->code_file);
    out->code_first_line = offset_at(numbers, at->code_first_line);
    out->code_lines = offset_at(numbers, at->code_lines);
    out->code_consts = 24;
    out->code_version = 92;
    out->text_ascii = offset_at(numbers, at->text_ascii);
    out->text_compact = 56;
    out->has_small_keys = 1;
    out->lines = MPROF__LINES_3_11;
}

mprof__python_description mprof__python_layout_described(mprof__python_layout *out,
                                                         uint32_t *version, const void *bytes,
                                                         size_t size)
{
    uint64_t numbers[MPROF__PYTHON_DESCRIPTION_SIZE / sizeof(uint64_t)];

    if (size < sizeof numbers || memcmp(bytes, COOKIE, strlen(COOKIE)) != 0) {
        return MPROF__DESCRIBES_NOTHING;
    }
    memcpy(numbers, bytes, sizeof numbers);
    *version = (uint32_t)numbers[1];
    if (numbers[2] != 0) {
        return MPROF__DESCRIBES_FREE_THREADED;
    }
    for (size_t i = 0; i < sizeof all_places / sizeof *all_places; i++) {
        const places *at = &all_places[i];

        if (at->version == numbers[1] >> 16 && is_as_expected(at, numbers)) {
            fill(out, at, numbers);
            return has_all_fields(out) ? MPROF__DESCRIBES_LAYOUT : MPROF__DESCRIBES_UNKNOWN;
        }
    }
    return MPROF__DESCRIBES_UNKNOWN;
}
