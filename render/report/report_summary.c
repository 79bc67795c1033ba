/* The same report in steps of less and less, until it fits. */
#include "report_pages.h"

#include "render/draw/draw.h"
#include "report_assets.h"
#include "template.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct step {
    size_t row_max, detail_max, recording_max;
} steps[] = {
    {1000, 20, SIZE_MAX}, {200, 20, SIZE_MAX}, {50, 10, SIZE_MAX}, {10, 3, SIZE_MAX},
    {10, 0, 1000},        {10, 0, 100},        {3, 0, 10},
};

/* Writes one step into memory. */
static mprof_status fill(char **text, size_t *size, const json_t *report, const char *title,
                         const struct step *step, mprof_error *error)
{
    const json_t *recordings = json_object_get(report, "recordings");
    bool is_alone = json_array_size(recordings) == 1;
    mprof__view_options options = {
        .layout = is_alone ? MPROF__REPORT_ALONE : MPROF__REPORT_TOGETHER,
        .title = title,
        .row_max = step->row_max,
        .detail_max = is_alone ? 1 : step->detail_max,
        .recording_max = step->recording_max,
        .with_chart = true,
        .worst_first = true,
    };
    mprof__template filled = {"summary.md", (const char *)mprof__summary_md, mprof__escape_markdown,
                              NULL, NULL};
    mprof_output *output = NULL;
    json_t *view = mprof__report_view(report, &options);
    int fd = memfd_create("summary", MFD_CLOEXEC);
    mprof_status status = !view    ? mprof_error_set(error, MPROF_ENOMEM, "out of memory")
                          : fd < 0 ? mprof_error_set_errno(error, errno, "cannot write into memory")
                                   : mprof__output_open_fd(&output, fd, "summary", error);
    if (status == MPROF_OK) {
        status = mprof__template_fill(&filled, view, output, error);
    }
    if (status == MPROF_OK) {
        status = mprof_output_commit(output, error);
    }
    mprof_output_free(output);
    if (status == MPROF_OK) {
        status = mprof__read_back(text, size, fd, error);
    }
    if (fd >= 0) {
        close(fd);
    }
    json_decref(view);
    return status;
}

mprof_status mprof__report_write_markdown(mprof_output *output, const json_t *report,
                                          const char *title, mprof_error *error)
{
    size_t count = sizeof steps / sizeof *steps;
    for (size_t i = 0; i < count; i++) {
        char *text = NULL;
        size_t size = 0;
        mprof_status status = fill(&text, &size, report, title, &steps[i], error);
        bool fits = status == MPROF_OK && (size <= MPROF__SUMMARY_MAX || i + 1 == count);
        if (fits) {
            status = mprof_output_write(output, text, size);
        }
        free(text);
        if (fits || status != MPROF_OK) {
            return status;
        }
    }
    return MPROF_OK;
}
