/* Raw bytes, unpacked if they are compressed, translated if they are another tool's log, and cut to
 * a part of the file.
 *
 * A compressed or translated stream cannot be entered in the middle. A part of it, which is a run,
 * is kept while it is read, so that a second pass does not unpack all that is in front of it. So a
 * rewind goes on from where the last reading ended if the wanted part is after it, as with one run
 * after the other, and unpacks from the start again if not. */
#include "source.h"

#include "decoder.h"
#include "raw_input.h"
#include "translation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PACKED_SIZE = 64 * 1024, PART_MAX = 8 * 1024 * 1024 };

struct mprof_source {
    char *name;
    mprof__raw_input input;
    uint64_t limit_offset, limit_size; /* the part that is read */
    unsigned long limit_line;          /* its first line */
    uint64_t read_count;               /* bytes of that part */

    bool is_recognised; /* `decoder` and `translator` are set if they are needed */
    char magic[MPROF__MAGIC_SIZE];
    size_t magic_size, magic_at; /* read to recognise the content, and not passed on yet */

    mprof__decoder *decoder; /* owned; NULL: plain bytes */
    char *packed;            /* owned */
    mprof__packed rest;      /* of `packed` */
    bool is_cut;

    const mprof__translation *translation; /* NULL: none is known */
    const void *options;                   /* for it; borrowed */
    void *translator;                      /* owned; NULL: the text is a recording */
    mprof__buffer head;                    /* read to see what the text is */
    size_t head_at;
    mprof__buffer lines; /* translated */
    size_t lines_at;
    bool is_translated; /* to its end */

    uint64_t unpacked; /* bytes */
    uint64_t position; /* of the content, from the start of the file */

    bool must_rewind;
    bool keeps_part; /* `part` is what was read from `part_offset` to `position` */
    uint64_t part_offset;
    mprof__buffer part;
};

static const mprof__translation *known_translation;

void mprof__source_set_translation(const mprof__translation *translation)
{
    known_translation = translation;
}

void mprof__source_translate(mprof_source *source, const mprof__translation *translation,
                             const void *options)
{
    source->translation = translation;
    source->options = options;
}

/* ---- opening ---- */

static mprof_source *new_source(const char *name)
{
    mprof_source *source = calloc(1, sizeof *source);
    if (source) {
        source->limit_size = UINT64_MAX;
        source->limit_line = 1;
        source->name = strdup(name);
        mprof__raw_input_open_memory(&source->input, "", 0);
        if (!source->name) {
            free(source);
            source = NULL;
        }
    }
    return source;
}

static void end_translation(mprof_source *source)
{
    if (source->translator) {
        source->translation->free(source->translator);
        source->translator = NULL;
    }
    mprof__buffer_free(&source->head);
    mprof__buffer_free(&source->lines);
    source->head_at = source->lines_at = 0;
    source->is_translated = false;
}

void mprof_source_free(mprof_source *source)
{
    if (!source) {
        return;
    }
    end_translation(source);
    mprof__buffer_free(&source->part);
    mprof__raw_input_close(&source->input);
    mprof__decoder_free(source->decoder);
    free(source->packed);
    free(source->name);
    free(source);
}

mprof_status mprof_source_open(mprof_source **out, const char *path, mprof_error *error)
{
    mprof_source *source = new_source(strcmp(path, "-") == 0 ? "<stdin>" : path);
    *out = source;
    if (!source) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    mprof_status result = mprof__raw_input_open(&source->input, path, error);
    if (result != MPROF_OK) {
        mprof_error_at(error, source->name, 0);
        mprof_source_free(source);
        *out = NULL;
        return result;
    }
    source->translation = known_translation;
    return MPROF_OK;
}

mprof_status mprof_source_open_memory(mprof_source **out, const void *bytes, size_t size,
                                      const char *name, mprof_error *error)
{
    mprof_source *source = new_source(name);
    *out = source;
    if (!source) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    mprof__raw_input_open_memory(&source->input, bytes, size);
    return MPROF_OK;
}

const char *mprof__source_name(const mprof_source *source)
{
    return source->name;
}

size_t mprof__source_size(const mprof_source *source, size_t most)
{
    uint64_t size = source->limit_size;
    const mprof__raw_input *input = &source->input;
    if (input->fd < 0 && input->size < size && !source->translation &&
        mprof__compression_of_bytes(input->bytes, input->size) == MPROF_COMPRESSION_NONE) {
        size = input->size;
    }
    return size < most ? (size_t)size : most;
}

void mprof__source_limit(mprof_source *source, uint64_t offset, uint64_t size, unsigned long line)
{
    source->limit_line = line;
    source->limit_offset = offset;
    source->limit_size = size;
}

unsigned long mprof__source_line(const mprof_source *source)
{
    return source->limit_line;
}

bool mprof__source_has_translator(const mprof_source *source)
{
    return source->translator != NULL;
}

const char *mprof__source_hint(const mprof_source *source)
{
    return source->translation ? source->translation->hint : "";
}

bool mprof__source_is_cut(const mprof_source *source)
{
    return source->is_cut;
}

mprof_status mprof__source_keep(mprof_source *source, mprof_error *error)
{
    mprof_status status = mprof__raw_input_keep(&source->input, error);
    if (status != MPROF_OK) {
        mprof_error_at(error, source->name, 0);
    }
    return status;
}

void mprof__source_rest(mprof_source *source)
{
    mprof__raw_input_rest(&source->input);
}

uint64_t mprof__source_end(const mprof_source *source)
{
    return source->limit_offset + source->read_count;
}

bool mprof__source_copy_path(const mprof_source *source, char *path, size_t size)
{
    if (source->input.kept_fd >= 0) {
        snprintf(path, size, "/proc/self/fd/%d", source->input.kept_fd);
    }
    return source->input.kept_fd >= 0;
}

int mprof_source_can_rewind(const mprof_source *source)
{
    return mprof__raw_input_can_rewind(&source->input);
}

/* ---- content ---- */

static mprof_status open_decoder(mprof_source *source, mprof_compression compression,
                                 mprof_error *error)
{
    mprof_status status = mprof__compression_check(compression, error);
    if (status != MPROF_OK) {
        return status;
    }
    source->packed = malloc(PACKED_SIZE);
    source->decoder = source->packed ? mprof__decoder_new(compression) : NULL;
    return source->decoder ? MPROF_OK : mprof_error_set(error, MPROF_ENOMEM, "out of memory");
}

static mprof_status recognise_compression(mprof_source *source, mprof_error *error)
{
    size_t count = 1;
    while (source->magic_size < sizeof source->magic && count > 0) {
        mprof_status status =
            mprof__raw_input_read(&source->input, source->magic + source->magic_size,
                                  sizeof source->magic - source->magic_size, &count, error);
        if (status != MPROF_OK) {
            return status;
        }
        source->magic_size += count;
    }
    mprof_compression compression = mprof__compression_of_bytes(source->magic, source->magic_size);
    return compression == MPROF_COMPRESSION_NONE ? MPROF_OK
                                                 : open_decoder(source, compression, error);
}

/* The bytes of the file as they are. */
static mprof_status read_raw(mprof_source *source, void *bytes, size_t size, size_t *count,
                             mprof_error *error)
{
    size_t left = source->magic_size - source->magic_at;
    if (left == 0) {
        return mprof__raw_input_read(&source->input, bytes, size, count, error);
    }
    *count = left < size ? left : size;
    memcpy(bytes, source->magic + source->magic_at, *count);
    source->magic_at += *count;
    return MPROF_OK;
}

static mprof_status refuse_nothing(const mprof_source *source, mprof_error *error)
{
    return source->unpacked > 0
               ? MPROF_OK
               : mprof_error_set(error, MPROF_EFORMAT,
                                 "is compressed, but damaged or cut off: nothing can be unpacked");
}

static mprof_status unpack(mprof_source *source, char *bytes, size_t size, size_t *count,
                           mprof_error *error)
{
    const char *reason = "";
    *count = 0;
    while (!source->is_cut) {
        switch (mprof__decoder_step(source->decoder, &source->rest, bytes, size, count, &reason)) {
        case MPROF__DECODED_OK:
            break;
        case MPROF__DECODED_DAMAGED:
            source->is_cut = true;
            break;
        case MPROF__DECODED_ENOMEM:
            return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
        case MPROF__DECODED_REFUSED:
            return mprof_error_set(error, MPROF_EFORMAT, "%s", reason);
        }
        if (*count > 0) {
            source->unpacked += *count;
            return MPROF_OK;
        }
        if (!source->is_cut) {
            size_t got;
            mprof_status status = read_raw(source, source->packed, PACKED_SIZE, &got, error);
            if (status != MPROF_OK) {
                return status;
            }
            if (got == 0 && mprof__decoder_is_whole(source->decoder)) {
                return MPROF_OK;
            }
            source->is_cut = got == 0;
            source->rest = (mprof__packed){source->packed, got};
        }
    }
    return refuse_nothing(source, error);
}

/* ---- what the text is ---- */

static mprof_status read_text(mprof_source *source, char *bytes, size_t size, size_t *count,
                              mprof_error *error)
{
    size_t left = source->head.length - source->head_at;
    if (left > 0) {
        *count = left < size ? left : size;
        memcpy(bytes, source->head.bytes + source->head_at, *count);
        source->head_at += *count;
        return MPROF_OK;
    }
    return source->decoder ? unpack(source, bytes, size, count, error)
                           : read_raw(source, bytes, size, count, error);
}

static mprof_status read_head(mprof_source *source, mprof_error *error)
{
    mprof__buffer *head = &source->head;
    size_t count = 1;
    if (mprof__buffer_reserve(head, MPROF__TRANSLATION_HEAD) != 0) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    while (count > 0 && head->length < MPROF__TRANSLATION_HEAD) {
        source->head_at = head->length; /* nothing to pass on */
        mprof_status status = read_text(source, head->bytes + head->length,
                                        MPROF__TRANSLATION_HEAD - head->length, &count, error);
        if (status != MPROF_OK) {
            return status;
        }
        head->length += count;
    }
    source->head_at = 0;
    return MPROF_OK;
}

/* Recordings are what is read most: their first four bytes suffice. */
static bool begins_like_recording(const mprof_source *source)
{
    static const char *const words[] = {"CMDL", "MEM ", "FUNC", "CHLD"};
    for (size_t i = 0; i < sizeof words / sizeof *words && !source->decoder; i++) {
        if (source->magic_size == 4 && memcmp(source->magic, words[i], 4) == 0) {
            return true;
        }
    }
    return false;
}

static mprof_status recognise(mprof_source *source, mprof_error *error)
{
    mprof_status status = source->magic_size > 0 ? MPROF_OK : recognise_compression(source, error);
    source->is_recognised = true;
    if (status != MPROF_OK || !source->translation || begins_like_recording(source)) {
        return status;
    }
    status = read_head(source, error);
    return status == MPROF_OK
               ? source->translation->begin(&source->translator, source->head.bytes,
                                            source->head.length, source->options, error)
               : status;
}

/* ---- reading ---- */

/* Whether an offset of the content is one of the file. */
static bool is_plain(const mprof_source *source)
{
    return !source->decoder && !source->translator;
}

static mprof_status restart(mprof_source *source, uint64_t offset, mprof_error *error)
{
    mprof_status status = mprof__raw_input_rewind(&source->input, offset, error);
    source->magic_at = source->magic_size;
    source->position = source->unpacked = 0;
    source->is_cut = false;
    source->rest = (mprof__packed){source->packed, 0};
    if (source->translator) {
        source->is_recognised = false; /* a translator reads once */
    }
    end_translation(source);
    if (source->decoder) {
        mprof__decoder_reset(source->decoder);
    }
    return status;
}

static mprof_status rewind_stream(mprof_source *source, mprof_error *error)
{
    uint64_t offset = source->limit_offset;
    bool is_part = offset > 0 || source->limit_size != UINT64_MAX;
    if (is_part && source->keeps_part && source->part_offset == offset) {
        return MPROF_OK;
    }
    mprof_status status = MPROF_OK;
    if (source->position > offset || offset == 0) {
        status = restart(source, 0, error);
    }
    source->keeps_part = is_part;
    source->part_offset = offset;
    source->part.length = 0;
    return status;
}

mprof_status mprof_source_rewind(mprof_source *source, mprof_error *error)
{
    mprof_status status = mprof__raw_input_wake(&source->input, source->name, error);
    if (status == MPROF_OK && !mprof_source_can_rewind(source)) {
        status = mprof__raw_input_rewind(&source->input, 0, error); /* for its message */
    }
    if (status == MPROF_OK && !source->is_recognised) {
        status = recognise(source, error);
    }
    if (status == MPROF_OK && is_plain(source)) {
        status = restart(source, source->limit_offset, error);
    } else {
        source->must_rewind = true; /* when it is read: another part may be asked for before */
    }
    source->read_count = 0;
    if (status != MPROF_OK) {
        mprof_error_at(error, source->name, 0);
    }
    return status;
}

static mprof_status translate(mprof_source *source, char *bytes, size_t size, size_t *count,
                              mprof_error *error)
{
    mprof__buffer *lines = &source->lines;
    while (source->lines_at == lines->length && !source->is_translated) {
        char text[8192];
        size_t got;
        mprof_status status = read_text(source, text, sizeof text, &got, error);
        lines->length = source->lines_at = 0;
        if (status == MPROF_OK) {
            status =
                source->translation->add(source->translator, text, got, got == 0, lines, error);
        }
        if (status != MPROF_OK) {
            return status;
        }
        source->is_translated = got == 0;
    }
    size_t left = lines->length - source->lines_at;
    *count = left < size ? left : size;
    if (*count > 0) {
        memcpy(bytes, lines->bytes + source->lines_at, *count);
    }
    source->lines_at += *count;
    return MPROF_OK;
}

static mprof_status read_content(mprof_source *source, char *bytes, size_t size, size_t *count,
                                 mprof_error *error)
{
    mprof_status status = source->translator ? translate(source, bytes, size, count, error)
                                             : read_text(source, bytes, size, count, error);
    source->position += *count;
    return status;
}

/* Passes what is in front of the part that is read. */
static mprof_status skip_to_limit(mprof_source *source, char *bytes, size_t size,
                                  mprof_error *error)
{
    while (source->position < source->limit_offset) {
        uint64_t left = source->limit_offset - source->position;
        size_t count = 0;
        mprof_status status =
            read_content(source, bytes, left < size ? (size_t)left : size, &count, error);
        if (status != MPROF_OK || count == 0) {
            return status;
        }
    }
    return MPROF_OK;
}

/* Reads on behind what is kept, and keeps that, too, unless it is too much. */
static mprof_status read_stream(mprof_source *source, char *bytes, size_t size, size_t *count,
                                mprof_error *error)
{
    mprof__buffer *part = &source->part;
    if (source->must_rewind) {
        source->must_rewind = false;
        mprof_status status = rewind_stream(source, error);
        if (status != MPROF_OK) {
            return status;
        }
        if (!source->is_recognised && (status = recognise(source, error)) != MPROF_OK) {
            return status;
        }
    }
    if (source->keeps_part && source->read_count < part->length) {
        size_t left = part->length - (size_t)source->read_count;
        *count = left < size ? left : size;
        memcpy(bytes, part->bytes + source->read_count, *count);
        return MPROF_OK;
    }
    mprof_status status =
        source->read_count == 0 ? skip_to_limit(source, bytes, size, error) : MPROF_OK;
    if (status == MPROF_OK) {
        status = read_content(source, bytes, size, count, error);
    }
    if (source->keeps_part &&
        (part->length + *count > PART_MAX || mprof__buffer_append(part, bytes, *count) != 0)) {
        source->keeps_part = false;
        mprof__buffer_free(part);
    }
    return status;
}

mprof_status mprof__source_read(mprof_source *source, void *bytes, size_t size, size_t *count,
                                mprof_error *error)
{
    uint64_t left = source->limit_size - source->read_count;
    mprof_status status = MPROF_OK;
    *count = 0;
    if (left == 0) {
        return MPROF_OK;
    }
    status = mprof__raw_input_wake(&source->input, source->name, error);
    if (status == MPROF_OK && !source->is_recognised) {
        status = recognise(source, error);
    }
    size_t wanted = left < size ? (size_t)left : size;
    if (status == MPROF_OK) {
        status = is_plain(source) ? read_text(source, bytes, wanted, count, error)
                                  : read_stream(source, bytes, wanted, count, error);
    }
    source->read_count += *count;
    if (status != MPROF_OK && error) {
        mprof_error_at(error, source->name, error->line);
    }
    return status;
}
