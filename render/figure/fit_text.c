/* Cuts between letters as a reader sees them, and keeps a closing isolate. */
#include "fit_text.h"

#include "layout.h"
#include "visible_text.h"

#include "parse/plain_text.h"

#include <string.h>

double mprof__add_measured_text(mprof__layout *layout, mprof__text_item item)
{
    item.width = mprof__text_width(layout, item.role, item.text, item.length);
    mprof__add_text(layout->figure, &item);
    return item.width;
}

/* Less room for text, in ellipses: only its beginning is shown. */
#define LEAST_ROOM_DOTS 4

size_t mprof__fit_text(const mprof__layout *layout, mprof_role role, char *out, size_t size,
                       const char *text, double width_px)
{
    static const char ellipsis[] = "\xE2\x80\xA6";
    size_t whole = strlen(text);
    mprof_font font = mprof_figure_font(layout->figure, role);
    bool isolated = strncmp(text, MPROF__ISOLATE, sizeof MPROF__ISOLATE - 1) == 0;
    size_t end_size = sizeof ellipsis + (isolated ? sizeof MPROF__ISOLATE_END : 0);
    size_t length = mprof__text_cut(text, whole, size - end_size);
    if (length == whole &&
        layout->measure->width_px(layout->measure->data, font, text, length) <= width_px) {
        memcpy(out, text, length + 1);
        return length;
    }
    double dots =
        layout->measure->width_px(layout->measure->data, font, ellipsis, sizeof ellipsis - 1);
    if (dots > width_px) {
        return 0;
    }
    length = layout->measure->fit(layout->measure->data, font, text, length, width_px - dots);
    while (length && text[length - 1] == ' ') {
        length--;
    }
    if (length <= (isolated ? sizeof MPROF__ISOLATE - 1 : 0)) {
        return 0;
    }
    memcpy(out, text, length);
    memcpy(out + length, ellipsis, sizeof ellipsis);
    length += sizeof ellipsis - 1;
    if (!isolated) {
        return length;
    }
    memcpy(out + length, MPROF__ISOLATE_END, sizeof MPROF__ISOLATE_END);
    return length + sizeof MPROF__ISOLATE_END - 1;
}

/* The shortest beginning that leaves an end of at most `width_px`. */
static size_t end_that_fits(const mprof__layout *layout, mprof_role role, const char *text,
                            size_t length, double width_px)
{
    size_t low = 0, high = length;
    while (low < high) {
        size_t middle = (low + high) / 2, at = mprof__text_cut(text, length, middle);
        if (mprof__text_width(layout, role, text + at, length - at) <= width_px) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return mprof__text_cut(text, length, high);
}

size_t mprof__fit_text_middle(const mprof__layout *layout, mprof_role role, char *out, size_t size,
                              const char *text, double width_px)
{
    static const char ellipsis[] = "\xE2\x80\xA6";
    size_t length = strlen(text);
    double dots = mprof__text_width(layout, role, ellipsis, sizeof ellipsis - 1);
    double room = width_px - dots;
    if (mprof__text_width(layout, role, text, length) <= width_px ||
        length + sizeof ellipsis > size || room < LEAST_ROOM_DOTS * dots) {
        return mprof__fit_text(layout, role, out, size, text, width_px);
    }
    size_t end = end_that_fits(layout, role, text, length, room / 2);
    end += strspn(text + end, " ");
    room -= mprof__text_width(layout, role, text + end, length - end);
    size_t head = layout->measure->fit(layout->measure->data,
                                       mprof_figure_font(layout->figure, role), text, end, room);
    while (head && text[head - 1] == ' ') {
        head--;
    }
    memcpy(out, text, head);
    memcpy(out + head, ellipsis, sizeof ellipsis - 1);
    memcpy(out + head + sizeof ellipsis - 1, text + end, length - end + 1);
    return head + sizeof ellipsis - 1 + length - end;
}

/* A shorter prefix stays: it is read faster than an ellipsis. */
#define PREFIX_LEAST 6

void mprof__add_to_prefix(mprof__name_prefix *prefix, const char *name)
{
    size_t common = 0, end = 0;
    if (!prefix->names++) {
        prefix->common = mprof__text_copy(prefix->first, sizeof prefix->first, name, strlen(name));
        return;
    }
    while (common < prefix->common && name[common] == prefix->first[common]) {
        common++;
        end = strchr(" /-_.:=", name[common - 1]) ? common : end;
    }
    prefix->common = end; /* a letter of several bytes is never divided */
}

/* The parameters of mprof__fit_text(), and the prefix. */
size_t mprof__fit_name(const mprof__layout *layout, mprof_role role, char *out, size_t size,
                       const char *name, const mprof__name_prefix *prefix, double width_px)
{
    static const char ellipsis[] = "\xE2\x80\xA6";
    char rest[240];
    if (prefix->names < 2 || prefix->common < PREFIX_LEAST ||
        strncmp(name, prefix->first, prefix->common) != 0 ||
        mprof__text_width(layout, role, name, strlen(name)) <= width_px) {
        return mprof__fit_text_middle(layout, role, out, size, name, width_px);
    }
    mprof__text_format(rest, sizeof rest, "%s%s", ellipsis, name + prefix->common);
    return mprof__fit_text_middle(layout, role, out, size, rest, width_px);
}
