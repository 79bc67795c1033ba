/* Serves pictures over a pipe: each line of standard input is the name of a recording; the answer
 * is a line with the number of bytes that follow, and a PNG. A recording that cannot be drawn is
 * answered by a line "error: …".
 *
 *   picture_server <names >answers
 */
#include <mprof/draw.h>
#include <mprof/profiles.h>

#include <stdio.h>
#include <string.h>

static mprof_status draw(mprof_output *output, const char *path, mprof_text_engine *engine,
                         mprof_error *error)
{
    mprof_profiles *profiles = NULL;
    mprof_figure *figure = NULL;
    mprof_figure_options layout = MPROF_FIGURE_OPTIONS_INIT;
    mprof_draw_options options = MPROF_DRAW_OPTIONS_INIT;
    mprof_measure measure = mprof_text_engine_measure(engine);
    size_t count = 0;

    mprof_status status = mprof_profiles_load(&profiles, &path, 1, &layout, NULL, error);
    if (status == MPROF_OK) {
        const mprof_profile *const *list = mprof_profiles_list(profiles, &count);
        status = mprof_figure_layout(&figure, list, count, &layout, &measure, error);
    }
    if (status == MPROF_OK) {
        options.format = MPROF_FORMAT_PNG;
        status = mprof_figure_draw(figure, &options, engine, output, error);
    }
    if (status == MPROF_OK) {
        status = mprof_output_commit(output, error);
    }
    mprof_figure_free(figure);
    mprof_profiles_free(profiles);
    return status;
}

static int answer(const char *path, mprof_text_engine *engine)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof_output *output = NULL;
    size_t size = 0;

    mprof_status status = mprof_output_open_memory(&output, &error);
    if (status == MPROF_OK) {
        status = draw(output, path, engine, &error);
    }
    if (status == MPROF_OK) {
        const void *bytes = mprof_output_bytes(output, &size);
        printf("%zu\n", size);
        fwrite(bytes, 1, size, stdout);
    } else {
        char text[1024];
        mprof_error_format(&error, text, sizeof text);
        printf("error: %s\n", text);
    }
    mprof_output_free(output);
    return fflush(stdout);
}

int main(void)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof_text_engine *engine = NULL;
    char path[4096];
    int failed = mprof_text_engine_new(&engine, NULL, &error) != MPROF_OK;

    while (!failed && fgets(path, sizeof path, stdin)) {
        path[strcspn(path, "\n")] = '\0';
        failed = answer(path, engine) != 0;
    }
    mprof_text_engine_free(engine);
    return failed;
}
