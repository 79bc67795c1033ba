/* Loads recordings from memory and lays out figures of them; a failure fails the test. Needs
 * cmocka.h. */
#ifndef MPROF_TESTS_LAID_OUT_H
#define MPROF_TESTS_LAID_OUT_H

#include "render_measure.h"

#include <mprof/figure.h>

/* `options` may be NULL. */
static inline mprof_profile *load_text(const char *text, size_t size, const char *name,
                                       const mprof_load_options *options)
{
    mprof_source *source = NULL;
    mprof_profile *profile = NULL;
    mprof_error error = MPROF_ERROR_INIT;
    assert_int_equal(mprof_source_open_memory(&source, text, size, name, &error), MPROF_OK);
    mprof_status status = mprof_profile_load(&profile, source, options, &error);
    if (status != MPROF_OK) {
        print_error("%s\n%.300s\n", error.message, text);
    }
    assert_int_equal(status, MPROF_OK);
    mprof_source_free(source);
    return profile;
}

static inline mprof_figure *lay_out(const mprof_profile *profile,
                                    const mprof_figure_options *options)
{
    mprof_figure *figure = NULL;
    mprof_error error = MPROF_ERROR_INIT;
    mprof_status status =
        mprof_figure_layout(&figure, &profile, 1, options, &fixed_measure, &error);
    if (status != MPROF_OK) {
        print_error("%s\n", error.message);
    }
    assert_int_equal(status, MPROF_OK);
    return figure;
}

#endif
