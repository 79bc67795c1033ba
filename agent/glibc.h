/* Lets one build run with the glibc it was built with and with older ones, from 2.28 on. The build
 * includes this file in front of every source file of the objects that are loaded into programs.
 *
 * When libpthread and libdl became part of libc (2.34), their symbols got a new version: here they
 * are linked under the version they have always had. Where the libraries are separate, every Python
 * has both loaded. From 2.38 on the headers map functions that parse numbers to new names, which
 * accept C23's 0b1: these are linked under their old names. */
#ifndef MPROF_AGENT_GLIBC_H
#define MPROF_AGENT_GLIBC_H

#include <features.h>

#if defined(__x86_64__) && defined(__GLIBC__)
#define MPROF_GLIBC_FIRST "GLIBC_2.2.5"
#define MPROF_GLIBC_CLOCK "GLIBC_2.3.3"
#define MPROF_GLIBC_SCANF "GLIBC_2.7"
#elif defined(__aarch64__) && defined(__GLIBC__)
#define MPROF_GLIBC_FIRST "GLIBC_2.17"
#define MPROF_GLIBC_CLOCK "GLIBC_2.17"
#define MPROF_GLIBC_SCANF "GLIBC_2.17"
#endif

#ifdef MPROF_GLIBC_FIRST
#define MPROF_GLIBC_FOR(name, old, version) __asm__(".symver " #name "," #old "@" version)
#define MPROF_GLIBC_AS(name, version) MPROF_GLIBC_FOR(name, name, version)
#define MPROF_GLIBC_NUMBER(name) MPROF_GLIBC_FOR(__isoc23_##name, name, MPROF_GLIBC_FIRST)
#define MPROF_GLIBC_SCAN(name) MPROF_GLIBC_FOR(__isoc23_##name, __isoc99_##name, MPROF_GLIBC_SCANF)

MPROF_GLIBC_AS(dladdr, MPROF_GLIBC_FIRST);
MPROF_GLIBC_AS(dlclose, MPROF_GLIBC_FIRST);
MPROF_GLIBC_AS(dlerror, MPROF_GLIBC_FIRST);
MPROF_GLIBC_AS(dlsym, MPROF_GLIBC_FIRST);
MPROF_GLIBC_AS(dlopen, MPROF_GLIBC_FIRST);
MPROF_GLIBC_AS(pthread_attr_getstack, MPROF_GLIBC_FIRST);
MPROF_GLIBC_AS(pthread_attr_setstacksize, MPROF_GLIBC_FIRST);
MPROF_GLIBC_AS(pthread_condattr_setclock, MPROF_GLIBC_CLOCK);
MPROF_GLIBC_AS(pthread_create, MPROF_GLIBC_FIRST);
MPROF_GLIBC_AS(pthread_getattr_np, MPROF_GLIBC_FIRST);
MPROF_GLIBC_AS(pthread_join, MPROF_GLIBC_FIRST);
MPROF_GLIBC_AS(pthread_key_create, MPROF_GLIBC_FIRST);
MPROF_GLIBC_AS(pthread_once, MPROF_GLIBC_FIRST);
MPROF_GLIBC_AS(pthread_setspecific, MPROF_GLIBC_FIRST);
MPROF_GLIBC_AS(pthread_sigmask, MPROF_GLIBC_FIRST);

MPROF_GLIBC_NUMBER(strtol);
MPROF_GLIBC_NUMBER(strtoll);
MPROF_GLIBC_NUMBER(strtoul);
MPROF_GLIBC_NUMBER(strtoull);
MPROF_GLIBC_NUMBER(strtoimax);
MPROF_GLIBC_NUMBER(strtoumax);
MPROF_GLIBC_SCAN(sscanf);
MPROF_GLIBC_SCAN(fscanf);
MPROF_GLIBC_SCAN(vsscanf);
MPROF_GLIBC_SCAN(vfscanf);
#endif

#endif
