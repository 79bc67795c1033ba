/* What the loader finds in place of the shim for a program of 32 bits: nothing. Without an object
 * of its architecture it would complain on standard error, once per program. */
typedef int mprof__nothing;
