/* The fonts of a picture, as configurations of fontconfig. Private to the library. */
#ifndef MPROF_RENDER_FONTS_H
#define MPROF_RENDER_FONTS_H

#include <fontconfig/fontconfig.h>
#include <stdbool.h>
#include <stddef.h>

#define MPROF__WEIGHT_COUNT 2 /* of text: normal and semibold */

/* The fonts that are preferred for a family, one per weight, and no other. */
typedef struct {
    FcConfig *config;                      /* NULL: use all fonts */
    FcPattern *fonts[MPROF__WEIGHT_COUNT]; /* what fontconfig chose, per weight */
} mprof__preferred_fonts;

/* Makes all installed fonts fontconfig's current ones. Returns false if there are none. */
bool mprof__fonts_configure(void);

/* Finds the preferred fonts for `family`, names separated by commas. Call it after
 * mprof__fonts_configure(); the result belongs to the caller, who disposes of it. */
void mprof__preferred_fonts_init(mprof__preferred_fonts *preferred, const char *family);
void mprof__preferred_fonts_dispose(mprof__preferred_fonts *preferred);

/* True if the preferred fonts alone give the same letters as all fonts would. `text` is UTF-8. */
bool mprof__preferred_fonts_suffice(const mprof__preferred_fonts *preferred, const char *text,
                                    size_t length);

#endif
