/* Writes recordings at random, as text. The same seed gives the same numbers on every machine.
 * Needs cmocka.h. */
#ifndef MPROF_TESTS_SCRIPT_H
#define MPROF_TESTS_SCRIPT_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Records; begin with zeros, and free the text. */
struct script {
    char *text;
    size_t used, room;
};

/* At most 399 bytes. */
__attribute__((format(printf, 2, 3))) static inline void add(struct script *script,
                                                             const char *format, ...)
{
    va_list arguments;
    if (script->room - script->used < 400) {
        script->room = script->room * 2 + 4000;
        script->text = realloc(script->text, script->room);
        assert_non_null(script->text);
    }
    va_start(arguments, format);
    script->used += (size_t)vsnprintf(script->text + script->used, 400, format, arguments);
    va_end(arguments);
}

static uint64_t random_state; /* set it to a seed */

static inline uint32_t next_random(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33);
}

static inline uint32_t random_below(uint32_t end)
{
    return next_random() % end;
}

static inline double random_between(double low, double high)
{
    return low + (high - low) * next_random() / 2147483648.0;
}

#endif
