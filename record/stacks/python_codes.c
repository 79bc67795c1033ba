#include "python_codes.h"

#include "code_lines.h"
#include "parse/array.h"
#include "python_objects.h"

#include <stdlib.h>
#include <string.h>

/* A process that makes functions without end must not fill our memory. */
#define KNOWN_MAX 32768
#define CODES_MAX 32768
/* New ones in one sample. */
#define READS_MAX 512
/* A table of lines, and all of them. Without one lines are not known. */
#define LINES_MAX 32768
#define ALL_LINES_MAX (1u << 20)

/* Stands for functions beyond CODES_MAX. */
static const mprof__python_code too_many = {"", "(more functions)", "(more functions)", "",
                                            0,  UINT32_MAX};

void mprof__python_codes_init(mprof__python_codes *codes, const mprof__target_memory *memory,
                              const mprof__python_layout *layout)
{
    memset(codes, 0, sizeof *codes);
    codes->memory = *memory;
    codes->layout = layout;
}

static void forget_known(mprof__python_codes *codes)
{
    for (size_t i = 0; i < codes->known_count; i++) {
        free(codes->known[i]->lines);
        free(codes->known[i]);
    }
    codes->known_count = 0;
    codes->lines_bytes = 0;
    mprof__number_map_clear(&codes->by_address);
}

void mprof__python_codes_free(mprof__python_codes *codes)
{
    forget_known(codes);
    for (size_t i = 0; i < codes->code_count; i++) {
        free(codes->codes[i]);
    }
    free(codes->known);
    free(codes->codes);
    mprof__number_map_free(&codes->by_address);
    mprof__number_map_free(&codes->by_content);
    memset(codes, 0, sizeof *codes);
}

/* ---- heads ---- */

static uint64_t pointer_at(const unsigned char *head, uint16_t offset)
{
    uint64_t pointer = 0;

    if (offset != MPROF__NO_FIELD) {
        memcpy(&pointer, head + offset, sizeof pointer);
    }
    return pointer;
}

static void make_key(mprof__code_key *key, const mprof__python_layout *layout,
                     const unsigned char *head)
{
    memset(key, 0, sizeof *key);
    key->name = pointer_at(head, layout->code_name);
    key->qualname = pointer_at(head, layout->code_qualname);
    key->file = pointer_at(head, layout->code_file);
    key->lines = pointer_at(head, layout->code_lines);
    key->consts = pointer_at(head, layout->code_consts);
    memcpy(&key->first_line, head + layout->code_first_line, sizeof key->first_line);
    if (layout->code_version != MPROF__NO_FIELD) {
        memcpy(&key->version, head + layout->code_version, sizeof key->version);
    }
}

static bool is_same_key(const mprof__code_key *a, const mprof__code_key *b)
{
    return a->name == b->name && a->qualname == b->qualname && a->file == b->file &&
           a->lines == b->lines && a->consts == b->consts && a->first_line == b->first_line;
}

/* Whether the head is that of a code object. Its type is found by name, once. */
static bool is_code(mprof__python_codes *codes, const unsigned char *head)
{
    uint64_t type = pointer_at(head, MPROF__OBJECT_TYPE);
    uint64_t name;
    char text[5];

    if (codes->code_type != 0) {
        return type == codes->code_type;
    }
    if (mprof__target_memory_read(&codes->memory, type + MPROF__TYPE_NAME, &name, sizeof name) &&
        mprof__target_memory_read(&codes->memory, name, text, sizeof text) &&
        memcmp(text, "code", sizeof text) == 0) {
        codes->code_type = type;
        return true;
    }
    codes->not_code_count++;
    return false;
}

/* ---- content ---- */

typedef struct names {
    char module[MPROF__PYTHON_TEXT_MAX];
    char qualname[MPROF__PYTHON_TEXT_MAX];
    char name[MPROF__PYTHON_TEXT_MAX];
    char file[MPROF__PYTHON_TEXT_MAX];
} names;

static void read_module(names *out, mprof__python_codes *codes, uint64_t globals)
{
    uint64_t name = mprof__python_module_name(&codes->memory, codes->layout, globals);

    if (name == 0 || !mprof__python_text_read(out->module, &codes->memory, codes->layout, name)) {
        out->module[0] = '\0';
    }
}

static bool read_names(names *out, mprof__python_codes *codes, const mprof__code_key *key,
                       uint64_t globals)
{
    if (!mprof__python_text_read(out->name, &codes->memory, codes->layout, key->name) ||
        !mprof__python_text_read(out->file, &codes->memory, codes->layout, key->file)) {
        return false;
    }
    if (key->qualname == 0 ||
        !mprof__python_text_read(out->qualname, &codes->memory, codes->layout, key->qualname)) {
        memcpy(out->qualname, out->name, sizeof out->qualname);
    }
    read_module(out, codes, globals);
    return true;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; *text; text++) {
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    }
    return (hash ^ 0xff) * UINT64_C(0x100000001b3);
}

static bool is_same_content(const mprof__python_code *code, const names *text, int32_t line)
{
    return code->first_line == line && strcmp(code->name, text->name) == 0 &&
           strcmp(code->qualname, text->qualname) == 0 && strcmp(code->module, text->module) == 0 &&
           strcmp(code->file, text->file) == 0;
}

static const char *copy_text(char **at, const char *text)
{
    char *copy = *at;
    size_t size = strlen(text) + 1;

    memcpy(copy, text, size);
    *at += size;
    return copy;
}

/* One allocation: the code, then its texts. */
static mprof__python_code *new_code(const names *text, int32_t line, uint32_t id)
{
    size_t size =
        strlen(text->module) + strlen(text->qualname) + strlen(text->name) + strlen(text->file) + 4;
    mprof__python_code *code = malloc(sizeof *code + size);

    if (code) {
        char *at = (char *)(code + 1);

        code->module = copy_text(&at, text->module);
        code->qualname = copy_text(&at, text->qualname);
        code->name = copy_text(&at, text->name);
        code->file = copy_text(&at, text->file);
        code->first_line = line;
        code->id = id;
    }
    return code;
}

/* The one code of this content; NULL: no memory. */
static const mprof__python_code *intern(mprof__python_codes *codes, const names *text, int32_t line)
{
    uint64_t hash = hash_text(UINT64_C(0xcbf29ce484222325) ^ (uint32_t)line, text->qualname);
    uint32_t index;

    hash = hash_text(hash_text(hash_text(hash, text->name), text->module), text->file);
    while (mprof__number_map_find_index(&codes->by_content, hash, &index)) {
        if (is_same_content(codes->codes[index], text, line)) {
            return codes->codes[index];
        }
        hash++;
    }
    if (codes->code_count == CODES_MAX) {
        return &too_many;
    }
    mprof__python_code **grown =
        mprof__array_grow(codes->codes, codes->code_count, &codes->code_capacity, sizeof(void *));
    if (!grown) {
        return NULL;
    }
    codes->codes = grown;
    mprof__python_code *code = new_code(text, line, (uint32_t)codes->code_count);
    if (!code || mprof__number_map_put_index(&codes->by_content, hash,
                                             (uint32_t)codes->code_count) != MPROF__PUT_DONE) {
        free(code);
        return NULL;
    }
    codes->codes[codes->code_count++] = code;
    return code;
}

/* ---- code objects by address ---- */

/* The entry of an address, or a new one; NULL: no memory. */
static mprof__known_code *entry_of(mprof__python_codes *codes, uint64_t address)
{
    uint32_t index;

    if (mprof__number_map_find_index(&codes->by_address, address, &index)) {
        return codes->known[index];
    }
    if (codes->known_count == KNOWN_MAX) {
        forget_known(codes);
    }
    mprof__known_code **grown =
        mprof__array_grow(codes->known, codes->known_count, &codes->known_capacity, sizeof(void *));
    if (!grown) {
        return NULL;
    }
    codes->known = grown;
    mprof__known_code *known = calloc(1, sizeof *known);
    if (!known || mprof__number_map_put_index(&codes->by_address, address,
                                              (uint32_t)codes->known_count) != MPROF__PUT_DONE) {
        free(known);
        return NULL;
    }
    known->address = address;
    codes->known[codes->known_count++] = known;
    return known;
}

static void read_lines(mprof__python_codes *codes, mprof__known_code *known)
{
    codes->lines_bytes -= known->lines_size;
    free(known->lines);
    known->lines = NULL;
    known->lines_size = 0;
    if (codes->lines_bytes < ALL_LINES_MAX) {
        known->lines = mprof__python_bytes_read(&known->lines_size, &codes->memory,
                                                known->key.lines, LINES_MAX);
        codes->lines_bytes += known->lines_size;
    }
}

/* Whether the code object still is what its key says. */
static bool is_still(mprof__python_codes *codes, uint64_t address, const mprof__code_key *key)
{
    unsigned char head[MPROF__CODE_BYTES];
    mprof__code_key now;

    if (!mprof__target_memory_read(&codes->memory, address, head, codes->layout->code_size) ||
        !is_code(codes, head)) {
        return false;
    }
    make_key(&now, codes->layout, head);
    return is_same_key(&now, key);
}

static bool is_known(const mprof__python_codes *codes, const mprof__known_code *known,
                     const mprof__code_key *key)
{
    return known->code && is_same_key(&known->key, key) &&
           (!known->is_reused || known->read_in == codes->sample);
}

mprof__known_code *mprof__python_codes_find(mprof__python_codes *codes, uint64_t address,
                                            const unsigned char *head, uint64_t globals)
{
    mprof__code_key key;
    uint32_t index;
    names text;

    if (!is_code(codes, head)) {
        return NULL;
    }
    make_key(&key, codes->layout, head);
    if (mprof__number_map_find_index(&codes->by_address, address, &index) &&
        is_known(codes, codes->known[index], &key)) {
        return codes->known[index];
    }
    if (codes->reads >= READS_MAX) {
        return NULL;
    }
    codes->reads++;
    if (!read_names(&text, codes, &key, globals)) {
        return NULL;
    }
    mprof__known_code *known = entry_of(codes, address);
    const mprof__python_code *code = known ? intern(codes, &text, key.first_line) : NULL;
    if (!code) {
        return NULL;
    }
    known->is_reused |= known->code != NULL;
    known->is_confirmed = false;
    known->code = NULL; /* until it is certain */
    known->key = key;
    known->sample = known->read_in = codes->sample;
    read_lines(codes, known);
    if (!is_still(codes, address, &key)) {
        known->is_reused = true;
        return NULL;
    }
    known->code = code;
    return known;
}

int32_t mprof__known_code_line(const mprof__python_codes *codes, const mprof__known_code *known,
                               uint64_t instruction)
{
    int64_t offset;

    switch (codes->layout->lines) {
    case MPROF__LINES_LNOTAB:
        offset = (int32_t)instruction;
        break;
    case MPROF__LINES_3_10: /* counts instructions */
        offset = 2 * (int64_t)(int32_t)instruction;
        break;
    default:
        offset = (int64_t)(instruction - known->address - codes->layout->code_bytecode);
        break;
    }
    return mprof__code_line(codes->layout->lines, known->lines, known->lines_size,
                            known->code->first_line, offset);
}
