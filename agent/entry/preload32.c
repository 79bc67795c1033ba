/* An empty shim for programs of 32 bits. Without an object of their architecture the loader would
 * write a warning to standard error, once per program. */
typedef int mprof__nothing;
