/* A folder of numbered pages that appears complete or not at all. Private to the reports. */
#ifndef MPROF_RENDER_REPORT_PAGE_FOLDER_H
#define MPROF_RENDER_REPORT_PAGE_FOLDER_H

#include <mprof/output.h>

/* Pages are collected in a file without a name, so an interruption leaves nothing. */
typedef struct mprof__page_folder mprof__page_folder;

/* target: 0001.html, 0002.html and so on will be in it. It may exist, if it has nothing else. */
mprof_status mprof__page_folder_new(mprof__page_folder **out, const char *target,
                                    mprof_error *error);
void mprof__page_folder_free(mprof__page_folder *folder);

/* An output for the next page; commit it and free it before the next call. */
mprof_status mprof__page_folder_add(mprof__page_folder *folder, mprof_output **output,
                                    mprof_error *error);

/* Replaces the target by the collected pages. */
mprof_status mprof__page_folder_commit(mprof__page_folder *folder, mprof_error *error);

#endif
