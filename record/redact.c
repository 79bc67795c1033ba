/* Owns which words make a value a secret, and where values end. */
#include "record/redact.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MASK "***"
#define BETWEEN_WORDS " \t\n'\""

/* Parts of names. */
static const char *const secrets[] = {
    "passw",       "passphrase", "secret",     "token",      "credential",    "apikey",
    "api_key",     "api-key",    "access_key", "access-key", "accesskey",     "private_key",
    "private-key", "privatekey", "auth_key",   "auth-key",   "authorization",
};
/* Whole names of what URLs carry. */
static const char *const url_secrets[] = {"key", "sig", "signature", "auth", "pwd", "pass"};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int is_secret(const char *name, size_t length)
{
    for (size_t i = 0; i < COUNT(secrets); i++) {
        size_t size = strlen(secrets[i]);

        for (size_t at = 0; at + size <= length; at++) {
            if (strncasecmp(name + at, secrets[i], size) == 0) {
                return 1;
            }
        }
    }
    return 0;
}

static int is_url_secret(const char *name, size_t length)
{
    for (size_t i = 0; i < COUNT(url_secrets); i++) {
        if (strlen(url_secrets[i]) == length && strncasecmp(name, url_secrets[i], length) == 0) {
            return 1;
        }
    }
    return is_secret(name, length);
}

static void put(FILE *out, const char *text, size_t length)
{
    fwrite(text, 1, length, out);
}

/* "?name=value&name=value" behind a path; both end with the word. */
static void put_query(FILE *out, const char *query, size_t length)
{
    const char *end = query + length;

    while (query < end) {
        size_t name = strcspn(query + 1, "=&#" BETWEEN_WORDS);
        size_t part = 1 + strcspn(query + 1, "&#" BETWEEN_WORDS);

        if (query + part > end) {
            part = (size_t)(end - query);
        }
        if (1 + name < part && is_url_secret(query + 1, name)) {
            put(out, query, 1 + name + 1);
            fputs(MASK, out);
        } else {
            put(out, query, part);
        }
        query += part;
    }
}

/* What may hold a URL: "user:password@" and the query lose their secrets. */
static void put_url(FILE *out, const char *word, size_t length)
{
    const char *scheme = memmem(word, length, "://", 3);
    const char *at;
    const char *colon;
    const char *query;
    size_t authority;

    if (scheme) {
        scheme += 3;
        put(out, word, (size_t)(scheme - word));
        length -= (size_t)(scheme - word);
        word = scheme;
        authority = strcspn(word, "/?#" BETWEEN_WORDS);
        authority = authority < length ? authority : length;
        at = memrchr(word, '@', authority);
        colon = at ? memchr(word, ':', (size_t)(at - word)) : NULL;
        if (colon) {
            put(out, word, (size_t)(colon + 1 - word));
            fputs(MASK, out);
            length -= (size_t)(at - word);
            word = at;
        }
        query = memchr(word, '?', length);
        if (query) {
            put(out, word, (size_t)(query - word));
            put_query(out, query, length - (size_t)(query - word));
            return;
        }
    }
    put(out, word, length);
}

enum next { NEXT_PLAIN, NEXT_WORD_IS_SECRET, REST_IS_SECRET };

/* A word of an argument. Returns what is to become of what follows it. */
static enum next put_word(FILE *out, const char *word, size_t length)
{
    size_t name = strcspn(word, "=:/?" BETWEEN_WORDS);

    if (name < length && word[name] == '=' && is_secret(word, name)) {
        put(out, word, name + 1);
        fputs(MASK, out);
        return NEXT_PLAIN;
    }
    if (name + 1 == length && word[name] == ':' && is_secret(word, name)) {
        put(out, word, length);
        return REST_IS_SECRET;
    }
    if (name >= length && word[0] == '-' && is_secret(word, length)) {
        put(out, word, length);
        return NEXT_WORD_IS_SECRET;
    }
    put_url(out, word, length);
    return NEXT_PLAIN;
}

/* A shell's script is an argument of many words. */
static enum next put_argument(FILE *out, const char *argument, enum next next)
{
    if (next == NEXT_WORD_IS_SECRET && argument[0] != '-') {
        fputs(MASK, out);
        return NEXT_PLAIN;
    }
    next = NEXT_PLAIN;
    while (*argument) {
        size_t gap = strspn(argument, BETWEEN_WORDS);
        size_t length = strcspn(argument + gap, BETWEEN_WORDS);

        put(out, argument, gap);
        argument += gap;
        if (length == 0) {
            break;
        }
        if (next == REST_IS_SECRET) {
            fputs(MASK, out);
            return NEXT_PLAIN;
        }
        if (next == NEXT_WORD_IS_SECRET && argument[0] != '-') {
            fputs(MASK, out);
            next = NEXT_PLAIN;
        } else {
            next = put_word(out, argument, length);
        }
        argument += length;
    }
    return next == NEXT_WORD_IS_SECRET ? next : NEXT_PLAIN;
}

/* The vector from its strings, which lie one behind the other. */
static char **make_vector(const char *text, size_t size, size_t argc)
{
    char **vector = malloc((argc + 1) * sizeof *vector + size + 1);
    char *at;

    if (!vector) {
        return NULL;
    }
    at = (char *)(vector + argc + 1);
    memcpy(at, text, size);
    for (size_t i = 0; i < argc; i++) {
        vector[i] = at;
        at += strlen(at) + 1;
    }
    vector[argc] = NULL;
    return vector;
}

mprof_status mprof__redact_arguments(char ***out, size_t argc, char *const argv[],
                                     mprof_error *error)
{
    enum next next = NEXT_PLAIN;
    size_t size = 0;
    char *text = NULL;
    FILE *stream = open_memstream(&text, &size);

    *out = NULL;
    if (stream) {
        for (size_t i = 0; i < argc; i++) {
            next = put_argument(stream, argv[i], next);
            fputc('\0', stream);
        }
        if (fclose(stream) == 0) {
            *out = make_vector(text, size, argc);
        }
    }
    free(text);
    return *out ? MPROF_OK : mprof_error_set_errno(error, ENOMEM, "the command line");
}

void mprof__redact_text(char *text, size_t size, const char *from)
{
    FILE *stream = fmemopen(text, size, "w");

    text[0] = '\0';
    if (stream) {
        setvbuf(stream, NULL, _IONBF, 0);
        (void)put_argument(stream, from, NEXT_PLAIN);
        fclose(stream);
    }
    text[size - 1] = '\0';
}
