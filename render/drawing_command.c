/* Quotes as POSIX shells do: plain letters as they are, others in '...', and $'...' where
 * characters must not be written as they are. */
#include "drawing_command.h"

#include "parse/plain_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void append(mprof__command_text *command, const char *bytes, size_t length)
{
    if (command->failed) {
        return;
    }
    if (command->used + length + 1 > command->room) {
        size_t room = (command->used + length + 1) * 2;
        char *text = realloc(command->text, room);
        if (!text) {
            command->failed = true;
            return;
        }
        command->text = text;
        command->room = room;
    }
    memcpy(command->text + command->used, bytes, length);
    command->used += length;
    command->text[command->used] = '\0';
}

static bool is_plain(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_@%+=:,./-";
    return *word && strspn(word, plain) == strlen(word);
}

static bool has_unsafe(const char *word)
{
    size_t length = strlen(word), size;
    for (size_t at = 0; at < length; at += size) {
        if (mprof__text_is_unsafe(mprof__text_decode(word + at, length - at, &size))) {
            return true;
        }
    }
    return false;
}

static void append_octal(mprof__command_text *command, const char *word)
{
    size_t length = strlen(word), size;
    append(command, "$'", 2);
    for (size_t at = 0; at < length; at += size) {
        bool unsafe = mprof__text_is_unsafe(mprof__text_decode(word + at, length - at, &size));
        for (size_t i = 0; i < size; i++) {
            char octal[8];
            unsigned char byte = (unsigned char)word[at + i];
            bool quoted = byte == '\'' || byte == '\\';
            if (unsafe || quoted) {
                append(command, octal, (size_t)snprintf(octal, sizeof octal, "\\%03o", byte));
            } else {
                append(command, word + at + i, 1);
            }
        }
    }
    append(command, "'", 1);
}

static void append_quoted(mprof__command_text *command, const char *word)
{
    append(command, "'", 1);
    for (const char *at = word; *at; at++) {
        append(command, *at == '\'' ? "'\\''" : at, *at == '\'' ? 4 : 1);
    }
    append(command, "'", 1);
}

static void append_word(mprof__command_text *command, const char *word)
{
    if (is_plain(word)) {
        append(command, word, strlen(word));
    } else if (has_unsafe(word)) {
        append_octal(command, word);
    } else {
        append_quoted(command, word);
    }
}

void mprof__command_add_word(mprof__command_text *command, const char *word)
{
    append(command, " ", command->used > 0);
    append_word(command, word);
}

void mprof__command_add_option(mprof__command_text *command, const char *name, const char *value)
{
    append(command, " ", command->used > 0);
    append(command, "--", 2);
    append(command, name, strlen(name));
    if (value) {
        append(command, "=", 1);
        append_word(command, value);
    }
}

void mprof__command_add_files(mprof__command_text *command, const char *const *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (files[i][0] == '-' && files[i][1]) {
            mprof__command_add_word(command, "--");
            break;
        }
    }
    for (size_t i = 0; i < count; i++) {
        mprof__command_add_word(command, files[i]);
    }
}
