#include "python_objects.h"

#include <stdlib.h>
#include <string.h>

/* Read of a string in one go: nearly all are shorter. */
#define FIRST_READ 256
#define PAGE 4096
/* No name is longer: what claims to be is no str. */
#define LENGTH_MAX 65536
/* A module's name is its first key, unless something else filled its dict. */
#define NAME_KEYS_MAX 64

static uint64_t number_at(const void *bytes, size_t offset)
{
    uint64_t number;

    memcpy(&number, (const char *)bytes + offset, sizeof number);
    return number;
}

static uint32_t half_at(const void *bytes, size_t offset)
{
    uint32_t number;

    memcpy(&number, (const char *)bytes + offset, sizeof number);
    return number;
}

/* ---- strings ---- */

/* The head of a str. */
typedef struct text_head {
    uint64_t length;
    uint32_t kind; /* bytes of a character */
    size_t head_size;
} text_head;

static bool parse_text_head(text_head *out, const mprof__python_layout *layout, const void *bytes)
{
    uint32_t state = half_at(bytes, MPROF__TEXT_STATE);
    bool is_compact = state >> 5 & 1;
    bool is_ascii = state >> 6 & 1;

    out->length = number_at(bytes, MPROF__TEXT_LENGTH);
    out->kind = state >> 2 & 7;
    out->head_size = is_ascii ? layout->text_ascii : layout->text_compact;
    return is_compact && out->length <= LENGTH_MAX &&
           (out->kind == 1 || out->kind == 2 || out->kind == 4) && !(is_ascii && out->kind != 1);
}

static size_t put_character(char *to, uint32_t character)
{
    if (character == 0 || character > 0x10ffff || (character >= 0xd800 && character < 0xe000)) {
        character = 0xfffd;
    }
    if (character < 0x80) {
        to[0] = (char)character;
        return 1;
    }
    if (character < 0x800) {
        to[0] = (char)(0xc0 | character >> 6);
        to[1] = (char)(0x80 | (character & 0x3f));
        return 2;
    }
    if (character < 0x10000) {
        to[0] = (char)(0xe0 | character >> 12);
        to[1] = (char)(0x80 | (character >> 6 & 0x3f));
        to[2] = (char)(0x80 | (character & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | character >> 18);
    to[1] = (char)(0x80 | (character >> 12 & 0x3f));
    to[2] = (char)(0x80 | (character >> 6 & 0x3f));
    to[3] = (char)(0x80 | (character & 0x3f));
    return 4;
}

static void encode(char text[MPROF__PYTHON_TEXT_MAX], const unsigned char *characters, size_t count,
                   uint32_t kind)
{
    size_t used = 0;

    for (size_t i = 0; i < count && used + 5 <= MPROF__PYTHON_TEXT_MAX; i++) {
        uint32_t character = 0;

        memcpy(&character, characters + i * kind, kind); /* little-endian */
        used += put_character(text + used, character);
    }
    text[used] = '\0';
}

/* Bytes from an address up to `wanted`, but not into a page that may not be mapped. */
static size_t within_page(uint64_t address, size_t wanted)
{
    size_t left = PAGE - (size_t)(address % PAGE);

    return left < wanted ? left : wanted;
}

bool mprof__python_text_read(char text[MPROF__PYTHON_TEXT_MAX], const mprof__target_memory *memory,
                             const mprof__python_layout *layout, uint64_t address)
{
    unsigned char bytes[72 + 4 * MPROF__PYTHON_TEXT_MAX];
    size_t first = within_page(address, FIRST_READ);
    text_head head;

    text[0] = '\0';
    first = first > layout->text_compact ? first : layout->text_compact;
    if (!mprof__target_memory_read(memory, address, bytes, first) ||
        !parse_text_head(&head, layout, bytes)) {
        return false;
    }
    size_t count =
        head.length < MPROF__PYTHON_TEXT_MAX ? (size_t)head.length : MPROF__PYTHON_TEXT_MAX;
    size_t size = head.head_size + count * head.kind;
    if (size > first &&
        !mprof__target_memory_read(memory, address + first, bytes + first, size - first)) {
        return false;
    }
    encode(text, bytes + head.head_size, count, head.kind);
    return true;
}

unsigned char *mprof__python_bytes_read(uint32_t *size, const mprof__target_memory *memory,
                                        uint64_t address, uint32_t limit)
{
    uint64_t length;

    if (!mprof__target_memory_read(memory, address + MPROF__BYTES_SIZE, &length, sizeof length) ||
        length > limit) {
        return NULL;
    }
    unsigned char *bytes = malloc((size_t)length + 1);
    if (bytes && length > 0 &&
        !mprof__target_memory_read(memory, address + MPROF__BYTES_DATA, bytes, (size_t)length)) {
        free(bytes);
        return NULL;
    }
    *size = (uint32_t)length;
    return bytes;
}

/* ---- dicts ---- */

/* The entries of a dict. */
typedef struct entries {
    uint64_t address;
    size_t size; /* of one */
    size_t key;  /* offset of its key; its value follows */
    size_t count;
} entries;

static bool find_small_entries(entries *out, const unsigned char *head, uint64_t keys)
{
    uint8_t log_bytes = head[9];
    uint8_t kind = head[10];

    if (log_bytes > 40 || kind > 1) { /* 2: values are with the instances */
        return false;
    }
    out->address = keys + 32 + (UINT64_C(1) << log_bytes);
    out->size = kind == 0 ? 24 : 16;
    out->key = kind == 0 ? 8 : 0;
    out->count = (size_t)number_at(head, 24);
    return true;
}

static bool find_large_entries(entries *out, const unsigned char *head, uint64_t keys)
{
    uint64_t slots = number_at(head, 8);
    uint64_t width = slots <= 0xff ? 1 : slots <= 0xffff ? 2 : slots <= 0xffffffff ? 4 : 8;

    if (slots > UINT64_C(1) << 40) {
        return false;
    }
    out->address = keys + 40 + slots * width;
    out->size = 24;
    out->key = 8;
    out->count = (size_t)number_at(head, 32);
    return true;
}

static bool find_entries(entries *out, const mprof__target_memory *memory,
                         const mprof__python_layout *layout, uint64_t dict)
{
    uint64_t pointers[2]; /* keys, and values if they are apart */
    unsigned char head[40];

    _Static_assert(MPROF__DICT_VALUES == MPROF__DICT_KEYS + 8, "read together");
    if (!mprof__target_memory_read(memory, dict + MPROF__DICT_KEYS, pointers, sizeof pointers) ||
        pointers[1] != 0 || !mprof__target_memory_read(memory, pointers[0], head, sizeof head)) {
        return false;
    }
    return layout->has_small_keys ? find_small_entries(out, head, pointers[0])
                                  : find_large_entries(out, head, pointers[0]);
}

/* Whether the bytes are a str that reads "__name__". */
static bool is_name_key(const mprof__python_layout *layout, const unsigned char *bytes)
{
    static const char wanted[] = "__name__";
    text_head head;

    return parse_text_head(&head, layout, bytes) && head.length == strlen(wanted) &&
           head.kind == 1 && head.head_size == layout->text_ascii &&
           memcmp(bytes + head.head_size, wanted, strlen(wanted)) == 0;
}

uint64_t mprof__python_module_name(const mprof__target_memory *memory,
                                   const mprof__python_layout *layout, uint64_t dict)
{
    unsigned char block[NAME_KEYS_MAX * 24];
    unsigned char keys[NAME_KEYS_MAX][56];
    mprof__memory_piece pieces[NAME_KEYS_MAX];
    entries all;

    if (!find_entries(&all, memory, layout, dict)) {
        return 0;
    }
    size_t count = all.count < NAME_KEYS_MAX ? all.count : NAME_KEYS_MAX;
    if (count == 0 || !mprof__target_memory_read(memory, all.address, block, count * all.size)) {
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        pieces[i] = (mprof__memory_piece){number_at(block, i * all.size + all.key), keys[i],
                                          sizeof keys[i], false};
    }
    if (mprof__target_memory_read_pieces(memory, pieces, count) != 0) {
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].is_read && is_name_key(layout, keys[i])) {
            return number_at(block, i * all.size + all.key + 8);
        }
    }
    return 0;
}

bool mprof__python_dict_values(const mprof__target_memory *memory,
                               const mprof__python_layout *layout, uint64_t dict, size_t limit,
                               mprof__python_visit *visit, void *context)
{
    unsigned char block[64 * 24];
    entries all;

    if (!find_entries(&all, memory, layout, dict)) {
        return false;
    }
    size_t count = all.count < limit ? all.count : limit;
    for (size_t at = 0; at < count; at += 64) {
        size_t some = count - at < 64 ? count - at : 64;

        if (!mprof__target_memory_read(memory, all.address + at * all.size, block,
                                       some * all.size)) {
            return false;
        }
        for (size_t i = 0; i < some; i++) {
            uint64_t value = number_at(block, i * all.size + all.key + 8);

            if (value != 0 && visit(context, value)) {
                return true;
            }
        }
    }
    return false;
}
