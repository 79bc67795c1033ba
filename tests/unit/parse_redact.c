/* S3: which parts of command lines are masked, and which are not. */
#include "parse/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct row {
    const char *given; /* arguments separated by | */
    const char *shown;
} rows[] = {
    {"server|--port=80|x", "server|--port=80|x"},
    {"x|--password=hunter2", "x|--password=***"},
    {"x|--db-passwd=hunter2|y", "x|--db-passwd=***|y"},
    {"x|--PASSWORD|hunter2|y", "x|--PASSWORD|***|y"},
    {"x|-password|hunter2|y", "x|-password|***|y"},
    {"x|--token|-v|y", "x|--token|-v|y"}, /* a flag: no value follows */
    {"x|--password", "x|--password"},
    {"x|password", "x|password"}, /* a word, not an option */
    {"x|GITHUB_TOKEN=abc|make", "x|GITHUB_TOKEN=***|make"},
    {"x|-Dapp.secret=abc", "x|-Dapp.secret=***"},
    {"x|--api-key=|y", "x|--api-key=***|y"},
    {"x|postgres://app:hunter2@db:5432/app", "x|postgres://app:***@db:5432/app"},
    {"x|--url=https://u:p%40@host/a?b=c", "x|--url=https://u:***@host/a?b=c"},
    {"x|https://host:80/a", "x|https://host:80/a"},
    {"x|https://user@host/a", "x|https://user@host/a"},
    {"x|https://host/a?user=me&key=abc&n=1#t", "x|https://host/a?user=me&key=***&n=1#t"},
    {"x|https://host/?access_token=abc", "x|https://host/?access_token=***"},
    {"curl|-H|Authorization: Bearer abc def", "curl|-H|Authorization: ***"},
    {"sh|-c|mysql --password=abc db; x 'https://a:b@c'",
     "sh|-c|mysql --password=*** db; x 'https://a:***@c'"},
    {"bash|-lc|PASSWORD=abc make", "bash|-lc|PASSWORD=*** make"},
    {"sh|-c|tool --token abc run", "sh|-c|tool --token *** run"},
    {"x||y", "x||y"},
    {"x|a=b|--keyboard=us", "x|a=b|--keyboard=us"},
    /* options and assignments */
    {"x|--pass=hunter2|--db-pass|hunter2|y", "x|--pass=***|--db-pass|***|y"},
    {"x|--auth=u:X|--http-auth|u:X|y", "x|--auth=***|--http-auth|***|y"},
    {"x|--bearer=X|--bearer|X|y", "x|--bearer=***|--bearer|***|y"},
    {"x|--jwt=X|--jwt|X|y", "x|--jwt=***|--jwt|***|y"},
    {"x|--cookie=a=b", "x|--cookie=***"},
    {"x|MYSQL_PWD=X|PWD=/srv/app", "x|MYSQL_PWD=***|PWD=/srv/app"},
    {"docker|--build-arg=TOKEN=X", "docker|--build-arg=TOKEN=***"},
    {"docker|-e|PASSWORD=correct horse battery", "docker|-e|PASSWORD=***"},
    {"helm|--set|db.user=me,db.password=X,n=1", "helm|--set|db.user=me,db.password=***,n=1"},
    {"curl|-u|me:X|--user|me:X|y", "curl|-u|me:***|--user|me:***|y"},
    {"docker|-u|1000:1000", "docker|-u|1000:1000"},
    {"python3|-u|train.py", "python3|-u|train.py"},
    {"x|--no-auth|main.py", "x|--no-auth|main.py"},
    {"x|--author=me|--auth-type=basic", "x|--author=me|--auth-type=basic"},
    {"x|--tokenizer=gpt2|--two-passes=1", "x|--tokenizer=gpt2|--two-passes=1"},
    /* lists of pairs */
    {"x|Server=db;User Id=me;Password=a b;Encrypt=no",
     "x|Server=db;User Id=me;Password=***;Encrypt=no"},
    {"x|Name=a;AccountKey=X==;Suffix=core", "x|Name=a;AccountKey=***;Suffix=core"},
    {"psql|host=db password=X dbname=a", "psql|host=db password=*** dbname=a"},
    {"curl|-d|user=me&password=X", "curl|-d|user=me&password=***"},
    {"curl|-d|{\"user\": \"me\", \"password\": \"a b\", \"n\": 1}",
     "curl|-d|{\"user\": \"me\", \"password\": \"***\", \"n\": 1}"},
    {"x|{'token':'X','n':1}", "x|{'token':'***','n':1}"},
    {"x|{\"auth\":{\"token\":17}}", "x|{\"auth\":{\"token\":***}}"},
    {"x|{\"tokens\":[\"X\",\"Y\"],\"n\":1}", "x|{\"tokens\":[***],\"n\":1}"},
    /* headers */
    {"curl|-H|Authorization:Bearer X", "curl|-H|Authorization:***"},
    {"curl|-HAuthorization: Basic X", "curl|-HAuthorization: ***"},
    {"curl|--header=Proxy-Authorization: Basic X", "curl|--header=Proxy-Authorization: ***"},
    {"curl|-H|X-Api-Key:X", "curl|-H|X-Api-Key:***"},
    {"curl|-H|X-Auth: X", "curl|-H|X-Auth: ***"},
    {"curl|-H|Cookie: a=b; c=d", "curl|-H|Cookie: ***"},
    {"curl|-H|Accept: text/html", "curl|-H|Accept: text/html"},
    {"x|Bearer X", "x|Bearer ***"},
    {"dovecot|auth: worker", "dovecot|auth: worker"},
    /* URLs */
    {"x|https://host/cb#token=X&n=1", "x|https://host/cb#token=***&n=1"},
    {"x|https://host/#access_token=X", "x|https://host/#access_token=***"},
    {"x|https://host/#/login?jwt=X", "x|https://host/#/login?jwt=***"},
    {"x|https://s3/a?X-Amz-Credential=X&X-Amz-Date=2026&X-Amz-Signature=X",
     "x|https://s3/a?X-Amz-Credential=***&X-Amz-Date=2026&X-Amz-Signature=***"},
    {"x|https://s3/a?X-Amz-Security-Token=X&n=1", "x|https://s3/a?X-Amz-Security-Token=***&n=1"},
    {"x|https://gcs/a?X-Goog-Signature=X&n=1", "x|https://gcs/a?X-Goog-Signature=***&n=1"},
    {"x|https://azure/a?sv=1&sig=X%2B&se=2", "x|https://azure/a?sv=1&sig=***&se=2"},
    {"x|https://cdn/a?Expires=1&Signature=X&Key-Pair-Id=K",
     "x|https://cdn/a?Expires=1&Signature=***&Key-Pair-Id=K"},
    {"x|/a?token=X", "x|/a?token=***"}, /* without scheme or host */
    {"x|//user:X@host/a", "x|//user:***@host/a"},
    {"x|user:X@host", "x|user:***@host"},
    {"x|redis://:X@host", "x|redis://:***@host"},
    {"x|https://u:a/b@host/c", "x|https://u:***@host/c"},
    {"x|https://host:80/a@b", "x|https://host:80/a@b"},
    {"x|https://me@host:80/a", "x|https://me@host:80/a"},
    {"x|https://[::1]:80/a@b", "x|https://[::1]:80/a@b"},
    {"docker|pull|nginx:1.25@sha256:abc", "docker|pull|nginx:1.25@sha256:abc"},
    {"scp|me@host:a/b@c", "scp|me@host:a/b@c"},
    /* scripts of a shell */
    {"sh|-c|TOKEN=X python3 a.py", "sh|-c|TOKEN=*** python3 a.py"},
    {"sh|-lc|x --password='a b' y", "sh|-lc|x --password='***' y"},
    {"sh|-c|x --password a\\ b y", "sh|-c|x --password *** y"},
    {"sh|-c|x --password 'a b' y", "sh|-c|x --password '***' y"},
    {"sh|-c|curl -H \"Authorization: Bearer X\" https://a/b",
     "sh|-c|curl -H \"Authorization: ***\" https://a/b"},
    {"sh|-c|x --password='a", "sh|-c|x --password='***"}, /* a quote that is never closed */
};

static size_t split(char *text, char **arguments)
{
    size_t count = 0;

    for (char *at = text; at;) {
        char *bar = strchr(at, '|');

        arguments[count++] = at;
        if (bar) {
            *bar = '\0';
        }
        at = bar ? bar + 1 : NULL;
    }
    return count;
}

static void test_arguments(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        mprof_error error = MPROF_ERROR_INIT;
        char given[200];
        char shown[200];
        char *arguments[16];
        char *expected[16];
        char **masked;
        size_t count;

        print_message("%s\n", rows[i].given);
        strcpy(given, rows[i].given);
        strcpy(shown, rows[i].shown);
        count = split(given, arguments);
        assert_int_equal(split(shown, expected), count);
        assert_int_equal(mprof__redact_arguments(&masked, count, arguments, &error), MPROF_OK);
        for (size_t one = 0; one < count; one++) {
            assert_string_equal(masked[one], expected[one]);
        }
        assert_null(masked[count]);
        free(masked);
    }
}

static void test_text(void **state)
{
    char text[24];

    (void)state;
    mprof__redact_text(text, sizeof text, "worker: --token abc");
    assert_string_equal(text, "worker: --token ***");
    mprof__redact_text(text, sizeof text, "");
    assert_string_equal(text, "");
    mprof__redact_text(text, sizeof text, "a very long title that does not fit in there");
    assert_int_equal(strlen(text), sizeof text - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
