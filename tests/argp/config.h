/* What gnulib's configure finds out, for musl and gcc. In front of the installed argp.h, too. */
#define _GL_CONFIG_H_INCLUDED 1
#ifndef _GL_INLINE
#define _GL_INLINE static inline
#define _GL_INLINE_HEADER_BEGIN
#define _GL_INLINE_HEADER_END
#define _GL_ATTRIBUTE_FORMAT(arguments) __attribute__((format arguments))
#define _GL_ATTRIBUTE_SPEC_PRINTF_STANDARD printf
#define _GL_ATTRIBUTE_SPEC_PRINTF_SYSTEM printf
#endif

#ifdef HAVE_CONFIG_H
#include <stdalign.h>
#include <stdbool.h>
#define _GL_ATTRIBUTE_DEALLOC(function, position)
#define _GL_ATTRIBUTE_PURE
#define HAVE_DECL_PROGRAM_INVOCATION_NAME 1
#define HAVE_DECL_PROGRAM_INVOCATION_SHORT_NAME 1
#define HAVE_FLOCKFILE 1
#define HAVE_FUNLOCKFILE 1
#endif
