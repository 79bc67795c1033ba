/* Cuts between letters as a reader sees them, and keeps a closing isolate. */
#include "fit_text.h"

#include "layout.h"
#include "visible_text.h"

#include "parse/plain_text.h"

#include <string.h>

size_t mprof__fit_text(const mprof__layout *layout, mprof_role role, char *out, size_t size,
                       const char *text, double width_px)
{
    static const char ellipsis[] = "\xE2\x80\xA6";
    size_t whole = strlen(text);
    mprof_font font = mprof_role_font(role);
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
