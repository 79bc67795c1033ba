/* Fills text templates with JSON values. What a template prints is escaped, always: there is no way
 * to print a value as it is. Private to the reports.
 *
 *   {{name}}                 a string or an integer, escaped; {{.}} is the item of a list itself
 *   {{#name}} … {{/name}}    once for each item of a list; once if it is another value
 *   {{^name}} … {{/name}}    if it is missing, null, false, or an empty list or string
 *   {{>name}}                written by the caller's function: pictures, style sheet, script
 *
 * A name is looked for in the innermost value first. A name to print that does not exist is an
 * error. A line with nothing but an opening or a closing tag is left out. */
#ifndef MPROF_RENDER_REPORT_TEMPLATE_H
#define MPROF_RENDER_REPORT_TEMPLATE_H

#include <jansson.h>
#include <mprof/output.h>

/* Writes text[0..length) so that it is nothing but text. */
typedef void mprof__template_escape(mprof_output *output, const char *text, size_t length);

/* Writes the part of that name. context: the innermost value. */
typedef mprof_status mprof__template_part(void *data, mprof_output *output, const char *name,
                                          const json_t *context, mprof_error *error);

typedef struct mprof__template {
    const char *name; /* of its file, for messages */
    const char *text; /* terminated */
    mprof__template_escape *escape;
    mprof__template_part *part; /* NULL: there are no parts */
    void *data;                 /* of part */
} mprof__template;

/* Writes the filled template. MPROF_OK; MPROF_EARGUMENT: a fault of the template; or what `part`
 * and mprof_output_write() return. */
mprof_status mprof__template_fill(const mprof__template *filled, const json_t *view,
                                  mprof_output *output, mprof_error *error);

/* For elements and quoted attributes of HTML. */
mprof__template_escape mprof__escape_html;

/* For Markdown in which names may contain anything: every sign that Markdown, HTML, or a site that
 * shows it (mentions, links, formulas) gives a meaning to is a character reference. */
mprof__template_escape mprof__escape_markdown;

#endif
