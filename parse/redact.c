/* docs/recording.md has the table of names that mark a secret, and of the ends of values. */
#include "redact.h"

#include "parse/plain_text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MASK "***"
#define BLANKS " \t\n"
#define QUOTES "'\""
#define COUNT(array) (sizeof(array) / sizeof *(array))

typedef struct slice {
    const char *bytes;
    size_t length;
} slice;

/* ---- names ---- */

/* Anywhere in a name. */
static const char *const secret_parts[] = {
    "passw",      "passphrase",  "passcode",      "secret",         "token",
    "credential", "apikey",      "api_key",       "api-key",        "access_key",
    "access-key", "accesskey",   "private_key",   "private-key",    "privatekey",
    "auth_key",   "auth-key",    "authorization", "account_key",    "account-key",
    "accountkey", "signing_key", "signing-key",   "encryption_key", "encryption-key",
};
/* The last word of a name: "db-pass", "X-Amz-Signature". */
static const char *const secret_words[] = {
    "pass", "pwd", "auth", "bearer", "jwt", "sig", "signature", "cookie", "otp", "hmac", "psk",
};
/* The same in URLs. */
static const char *const url_words[] = {"key", "session", "sessionid", "sid"};
/* Options whose value is "user:password". */
static const char *const login_options[] = {"-u", "-U", "--user", "--proxy-user"};

static bool equals(slice text, const char *word)
{
    return strlen(word) == text.length && strncasecmp(text.bytes, word, text.length) == 0;
}

static bool is_one_of(slice text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (equals(text, words[i])) {
            return true;
        }
    }
    return false;
}

/* The part after the last punctuation mark, or from a capital after a small letter. */
static slice last_word(slice name)
{
    size_t at = name.length;

    while (at > 0 && isalnum((unsigned char)name.bytes[at - 1])) {
        at--;
        if (at > 0 && isupper((unsigned char)name.bytes[at]) &&
            islower((unsigned char)name.bytes[at - 1])) {
            break;
        }
    }
    return (slice){name.bytes + at, name.length - at};
}

static bool has_secret_part(slice name)
{
    for (size_t i = 0; i < COUNT(secret_parts); i++) {
        size_t size = strlen(secret_parts[i]);

        for (size_t at = 0; at + size <= name.length; at++) {
            if (strncasecmp(name.bytes + at, secret_parts[i], size) == 0 &&
                strncasecmp(name.bytes + at, "tokeniz", 7) != 0) {
                return true;
            }
        }
    }
    return false;
}

static bool ends_in_secret_word(slice name)
{
    static const char directory[] = "PWD"; /* the shell's working directory */

    if (name.length == sizeof directory - 1 &&
        memcmp(name.bytes, directory, sizeof directory - 1) == 0) {
        return false;
    }
    return is_one_of(last_word(name), secret_words, COUNT(secret_words));
}

/* Before "=". */
static bool is_secret_key(slice name, bool of_url)
{
    return has_secret_part(name) || ends_in_secret_word(name) ||
           (of_url && is_one_of(last_word(name), url_words, COUNT(url_words)));
}

/* Before ":". A single short word there is usually a title: "auth: worker". */
static bool is_secret_header(slice name)
{
    return has_secret_part(name) || equals(name, "cookie") ||
           (last_word(name).length < name.length && ends_in_secret_word(name));
}

/* Before a separate value. "--no-auth" takes none. */
static bool is_secret_option(slice name)
{
    size_t dashes = 0;

    while (dashes < name.length && name.bytes[dashes] == '-') {
        dashes++;
    }
    return dashes > 0 && strncasecmp(name.bytes + dashes, "no-", 3) != 0 &&
           (has_secret_part(name) || ends_in_secret_word(name));
}

/* ---- one argument ---- */

/* The kind of the next argument. */
enum next { NEXT_PLAIN, NEXT_IS_SECRET, NEXT_IS_LOGIN, NEXT_IS_SCRIPT };

typedef struct scan {
    FILE *out;
    const char *start;
    const char *at;
    char quote;     /* the open quotation mark, or 0 */
    bool is_script; /* shell words: a value ends with its word */
} scan;

static void put(scan *s, size_t length)
{
    fwrite(s->at, 1, length, s->out);
    s->at += length;
}

static void mask(scan *s, size_t length)
{
    fputs(MASK, s->out);
    s->at += length;
}

/* Up to one of `ends`. A backslash escapes the next character. */
static size_t value_length(const char *value, const char *ends)
{
    size_t length = 0;

    while (value[length] && !strchr(ends, value[length])) {
        length += value[length] == '\\' && value[length + 1] ? 2 : 1;
    }
    return length;
}

/* Masks a value that may be quoted. */
static void mask_value(scan *s, const char *ends)
{
    if (*s->at && strchr(QUOTES, *s->at) && *s->at != s->quote) {
        const char close[] = {*s->at, '\0'};

        put(s, 1);
        mask(s, value_length(s->at, close));
        put(s, *s->at ? 1 : 0);
    } else {
        mask(s, value_length(s->at, ends));
    }
}

/* Masks the rest of a header, up to the closing quotation mark. */
static void mask_rest(scan *s)
{
    const char close[] = {s->quote, '\0'};

    put(s, strspn(s->at, BLANKS));
    mask(s, s->quote ? value_length(s->at, close) : strlen(s->at));
}

/* The characters that end the value of a key, by the character before the key. */
static const char *ends_of_value(const scan *s, char before)
{
    switch (before) {
    case '?':
    case '&':
    case '#':
        return "&#" BLANKS QUOTES;
    case ';':
        return ";" QUOTES;
    case ',':
        return "," BLANKS QUOTES;
    case '{':
        return ",}" BLANKS QUOTES;
    case '\0': /* the whole argument is this assignment */
    case '=':
        return s->is_script ? BLANKS QUOTES : "";
    default:
        return BLANKS QUOTES;
    }
}

static bool is_digits(const char *text, size_t length)
{
    size_t digits = strspn(text, "0123456789");

    return digits >= length;
}

/* Masks the password of "user:password@" after "//". A password may contain characters that end a
 * host name; digits are a port. */
static void put_authority(scan *s)
{
    size_t word = strcspn(s->at, BLANKS QUOTES);
    size_t authority = strcspn(s->at, "/?#" BLANKS QUOTES);
    const char *colon = memchr(s->at, ':', authority);
    const char *at = memrchr(s->at, '@', authority);

    if (*s->at == '[' || (colon && at && colon > at)) {
        return; /* an IPv6 address; "user@host:port" */
    }
    if (colon && !at && !is_digits(colon + 1, authority - (size_t)(colon + 1 - s->at))) {
        at = memrchr(colon, '@', word - (size_t)(colon - s->at));
    }
    if (colon && at) {
        put(s, (size_t)(colon + 1 - s->at));
        mask(s, (size_t)(at - s->at));
    }
}

/* Masks "user:password@host" at the start. False: none. An image's "name:tag@sha256:..."
 * has no password. */
static bool put_login(scan *s, size_t name)
{
    const char *password = s->at + name + 1;
    size_t length = strcspn(password, "@/" BLANKS QUOTES);

    if (length == 0 || password[length] != '@' || strncmp(password + length, "@sha", 4) == 0) {
        return false;
    }
    put(s, name + 1);
    mask(s, length);
    return true;
}

static size_t name_length(const char *text)
{
    size_t length = 0;

    while (isalnum((unsigned char)text[length]) ||
           (text[length] && strchr("_-.[]%$", text[length]))) {
        length++;
    }
    return length;
}

/* Masks the value of `"name": value` in JSON. False: it is no secret. */
static bool put_json_member(scan *s, slice name)
{
    size_t blanks = strspn(name.bytes + name.length + 1, BLANKS);
    const char *colon = name.bytes + name.length + 1 + blanks;

    if (*colon != ':' || !is_secret_key(name, false)) {
        return false;
    }
    put(s, (size_t)(colon + 1 - s->at));
    put(s, strspn(s->at, BLANKS));
    s->quote = '\0';
    if (*s->at == '[') {
        put(s, 1);
        mask(s, value_length(s->at, "]"));
    } else if (*s->at != '{') { /* each member of an object has its own name */
        mask_value(s, ",}" BLANKS QUOTES);
    }
    return true;
}

/* Writes an option and masks its value after a blank. Returns the kind of the next argument. */
static enum next put_option(scan *s, slice name, enum next next)
{
    put(s, name.length);
    if (!*s->at) {
        return next;
    }
    put(s, strspn(s->at, BLANKS));
    if (next == NEXT_IS_SECRET && *s->at != '-') {
        mask_value(s, BLANKS QUOTES);
    }
    return NEXT_PLAIN;
}

/* Writes a name and masks its value. Returns the kind of the next argument. */
static enum next put_name(scan *s, slice name)
{
    char before = s->at > s->start ? s->at[-1] : '\0';
    char after = name.bytes[name.length];
    bool ends_word = after == '\0' || strchr(BLANKS, after);

    if (after == '=' && is_secret_key(name, before == '?' || before == '&' || before == '#')) {
        put(s, name.length + 1);
        mask_value(s, ends_of_value(s, before));
    } else if (after == ':' && strncmp(name.bytes + name.length, "://", 3) != 0 &&
               is_secret_header(name)) {
        put(s, name.length + 1);
        mask_rest(s);
    } else if (after != '\0' && after == before && strchr(QUOTES, after) &&
               put_json_member(s, name)) {
        return NEXT_PLAIN;
    } else if (ends_word && is_secret_option(name)) {
        return put_option(s, name, NEXT_IS_SECRET);
    } else if (after == '\0' && is_one_of(name, login_options, COUNT(login_options))) {
        return put_option(s, name, NEXT_IS_LOGIN);
    } else if (ends_word && after != '\0' && equals(name, "bearer")) {
        return put_option(s, name, NEXT_IS_SECRET);
    } else if (after != ':' || !put_login(s, name.length)) {
        put(s, name.length);
    }
    return NEXT_PLAIN;
}

static enum next put_plain_argument(scan *s)
{
    enum next next = NEXT_PLAIN;

    while (*s->at) {
        size_t name = name_length(s->at);

        if (name > 0) {
            next = put_name(s, (slice){s->at, name});
            continue;
        }
        if (strchr(QUOTES, *s->at)) {
            s->quote = s->quote == '\0' ? *s->at : (s->quote == *s->at ? '\0' : s->quote);
        }
        if (s->at[0] == '/' && s->at[1] == '/') {
            put(s, 2);
            put_authority(s);
        } else {
            put(s, 1);
        }
    }
    return next;
}

/* "-c", "-lc": the next argument of a shell is a script. */
static bool announces_script(const char *argument)
{
    size_t length = strlen(argument);

    return length >= 2 && length <= 4 && argument[0] == '-' && argument[1] != '-' &&
           argument[length - 1] == 'c';
}

static enum next put_argument(FILE *out, const char *argument, enum next next)
{
    scan s = {out, argument, argument, '\0', next == NEXT_IS_SCRIPT};

    if (next == NEXT_IS_SECRET && argument[0] != '-') {
        fputs(MASK, out);
        return NEXT_PLAIN;
    }
    if (next == NEXT_IS_LOGIN && strchr(argument, ':') && !strstr(argument, "://")) {
        const char *password = strchr(argument, ':') + 1;

        if (!is_digits(password, strlen(password))) {
            put(&s, (size_t)(password - argument));
            fputs(MASK, out);
            return NEXT_PLAIN;
        }
    }
    next = put_plain_argument(&s);
    return announces_script(argument) ? NEXT_IS_SCRIPT : next;
}

/* ---- command lines and names ---- */

/* Makes an argument vector from `argc` consecutive strings. */
static char **make_vector(const char *text, size_t size, size_t argc)
{
    char **vector = malloc((argc + 1) * sizeof *vector + size + 1);

    if (!vector) {
        return NULL;
    }
    char *at = (char *)(vector + argc + 1);
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
    return *out ? MPROF_OK : mprof_error_set(error, MPROF_ENOMEM, "out of memory");
}

void mprof__redact_text(char *text, size_t size, const char *from)
{
    char *whole = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&whole, &length);

    text[0] = '\0';
    if (stream) {
        (void)put_argument(stream, from, NEXT_IS_SCRIPT);
        if (fclose(stream) == 0) {
            mprof__text_copy(text, size, whole, length);
        }
        free(whole);
    }
}

void mprof__redact_fact(char *text, size_t size, const char *key, const char *value)
{
    static const char end_of_argument[] = "\xef\xbf\xbd";
    const char *colon = strrchr(key, ':');
    char *line = colon && strcmp(colon, ":argv") == 0 ? strdup(value) : NULL;
    for (char *at = line; at && (at = strstr(at, end_of_argument)) != NULL;) {
        *at = ' ';
        memmove(at + 1, at + 3, strlen(at + 3) + 1);
    }
    mprof__redact_text(text, size, line ? line : value);
    free(line);
}
